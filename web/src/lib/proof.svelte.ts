/** Somebody proves something: what is asked, by which claims, the proof, the answer. One proof at a time. */
import * as api from "../api/proofs";
import { ask } from "../worker/core";
import { Prover } from "../worker/prove";
import type { Holding, Phase, Proven, Question, Weighed } from "../worker/prove.protocol";
import { failed, type Failed } from "./load.svelte";
import { expected } from "./took";

/** What a document says, as it was typed. */
export type Typed = { birth: string; nationality: string; number: string; expiry: string };
/** The claims of an item in the vault, or such as the demo issuer signs here. */
export type Source = { item: string } | { demo: Typed };

/** What is chosen in the form: an item, or `demo` with what was typed. */
export type Choice = Typed & { by: string };

export const noChoice = (): Choice => ({ by: "", birth: "", nationality: "", number: "", expiry: "" });

/** Nothing while something is missing. */
export function sourceOf({ by, ...typed }: Choice): Source | undefined {
  if (by !== "demo") return by ? { item: by } : undefined;
  return Object.values(typed).every((text) => text.trim() !== "") ? { demo: typed } : undefined;
}

type Outcome = { accepted: api.Accepted; proven: Proven; holding: Holding; bytes: number };

export class Proving {
  /** What is asked. Nothing while it is asked for. */
  question = $state.raw<Question>();
  /** What goes on. */
  phase = $state.raw<Phase | "begin" | "send">();
  outcome = $state.raw<Outcome>();
  /** Why nothing could be asked, or nothing was shown. */
  error = $state.raw<Failed>();
  #request = "";
  #weighed: Weighed | undefined;
  readonly #prover = new Prover();

  /** Begins a session: another one each time, since each is good once. */
  async begin(): Promise<void> {
    [this.question, this.outcome, this.error] = [undefined, undefined, undefined];
    try {
      this.#request = await api.askAge();
      this.question = await this.#prover.ask("look", { request: this.#request });
    } catch (cause) {
      this.error = failed(cause);
    }
  }

  /** Proves what is asked, after its holder agreed to the words, and shows it to who asked. */
  async prove(source: Source): Promise<void> {
    if (this.phase) return;
    [this.phase, this.error] = ["begin", undefined];
    try {
      const holding = await this.#hold(source);
      this.#weighed = await this.#prover.ask("weigh", {});
      const proven = await this.#prover.ask("prove", { request: this.#request }, (phase) => (this.phase = phase));
      this.phase = "send";
      await api.checksBy("identity/1", proven.verifying_key);
      const accepted = await api.show(proven.presentation);
      localStorage.setItem("symbolon.took.proof", String(Math.round(proven.proof_ms)));
      this.outcome = { accepted, proven, holding, bytes: proven.presentation.length };
    } catch (cause) {
      this.error = failed(cause);
    } finally {
      this.phase = undefined;
      // Secrets, and as much memory as the prover took: all of it goes.
      this.#prover.end();
    }
  }

  /** Ends it, in the middle of the computation too. */
  cancel(): void {
    this.#prover.end();
  }

  /** How long what goes on takes, in milliseconds. */
  get expectedMs(): number | undefined {
    if (!this.#weighed || !this.phase || this.phase === "begin" || this.phase === "send") return undefined;
    const own = this.#weighed[this.phase];
    return this.phase === "prove" ? expected("proof", own) : own;
  }

  #hold(source: Source): Promise<Holding> {
    if ("demo" in source) {
      const { birth, nationality, number, expiry } = source.demo;
      const [a, b, c, d] = [birth, nationality.toUpperCase(), number.toUpperCase(), expiry].map((text) => new TextEncoder().encode(text).buffer) as [ArrayBuffer, ArrayBuffer, ArrayBuffer, ArrayBuffer];
      return this.#prover.ask("demo", { birth: a, nationality: b, number: c, expiry: d });
    }
    // From Worker to Worker: the record passes neither this thread nor any storage.
    const { port1, port2 } = new MessageChannel();
    const held = this.#prover.ask("hold", { from: port1 });
    const handed = ask("vault.hand", { item: source.item, to: port2 });
    return Promise.all([held, handed]).then(([holding]) => holding);
  }
}
