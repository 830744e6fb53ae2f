/** The vault as the views have it: what is asked of it, and how it stands with the server. Keys and sealed bytes are
 * the Worker's alone. */
import { untrack } from "svelte";
import { session } from "../api/account";
import { ask as askWorker } from "../worker/core";
import type { Contents, Draft, Frame, Past, Questions, State, Synced, Wanted } from "../worker/vault/types";
import { account } from "./account.svelte";
import { failed, type Failed } from "./load.svelte";
import { hear } from "./tabs";

export type * from "../worker/vault/types";

type Being = "closed" | "opening" | "open" | "failed";
/** `alarm`: the server shows another past than this browser saw. */
type Standing = "new" | "syncing" | "synced" | "waiting" | "offline" | "alarm" | "failed";

class VaultState {
  being = $state<Being>("closed");
  standing = $state<Standing>("new");
  error = $state.raw<Failed | undefined>();
  /** How many items wait to be sent. */
  pending = $state(0);
  /** How many items an older data key sealed, and how many there were when sealing them anew began. */
  old = $state(0);
  oldAll = $state(0);
  /** Whether this browser has, sealed, what waits. */
  isKept = $state(true);
  /** The copy that this browser kept was not used, and everything was fetched anew. */
  refused = $state(false);
  fingerprint = $state("");
  /** The key that signs what is shared, as people compare it. */
  signer = $state("");
  /** Grows whenever something changed, here or elsewhere. */
  version = $state(0);
  /** Items that were written here and elsewhere, newest first, until somebody looked. */
  conflicts = $state.raw<{ item: string; copy: string }[]>([]);
  frame = $state.raw<Frame | undefined>();

  #timer: ReturnType<typeof setTimeout> | undefined;
  #pause = PAUSE_MS;
  #running = false;
  #again = false;

  /** What writes what is still in a field, before the keys are wiped. */
  readonly editors = new Set<() => Promise<unknown>>();

  /** Opens it for as long as the account is open; gives what closes it. */
  watch(): () => void {
    // A session that changes is no reason to open it anew.
    untrack(() => void this.#open());
    const look = () => document.visibilityState === "visible" && this.sync();
    const online = () => this.sync();
    const leave = (event: BeforeUnloadEvent) => {
      if (this.pending > 0 && !this.isKept) event.preventDefault();
    };
    const every = setInterval(look, EVERY_MS);
    const keep = async () => {
      await Promise.allSettled([...this.editors].map((save) => save()));
      await askWorker("vault.keep", {});
    };
    account.leaving.add(keep);
    document.addEventListener("visibilitychange", look);
    window.addEventListener("focus", look);
    window.addEventListener("online", online);
    window.addEventListener("beforeunload", leave);
    return () => {
      clearInterval(every);
      account.leaving.delete(keep);
      clearTimeout(this.#timer);
      document.removeEventListener("visibilitychange", look);
      window.removeEventListener("focus", look);
      window.removeEventListener("online", online);
      window.removeEventListener("beforeunload", leave);
      this.#close();
    };
  }

  async #open(): Promise<void> {
    [this.being, this.error] = ["opening", undefined];
    try {
      const started = await askWorker("vault.open", { csrf: account.session?.csrf ?? "" });
      this.refused = started.kept === "refused";
      this.#told(started);
      if (started.counter !== null) await this.#opened();
      await this.#exchange();
      if (this.being === "opening" && started.counter === null) {
        // Nothing is here yet: without the server there is nothing to show.
        if (this.standing === "synced" || this.standing === "waiting") await this.#opened();
        else this.being = "failed";
      }
    } catch (cause) {
      [this.being, this.error] = ["failed", failed(cause)];
    }
  }

  async #opened(): Promise<void> {
    this.frame = await this.ask("frame", {});
    this.being = "open";
    this.version++;
  }

  #close(): void {
    [this.being, this.standing, this.error] = ["closed", "new", undefined];
    [this.frame, this.conflicts, this.pending, this.isKept, this.old] = [undefined, [], 0, true, 0];
    [looked.words, looked.tag] = ["", ""];
    this.version++;
  }

  again(): void {
    if (this.being === "failed") void this.#open();
    else this.sync();
  }

  async ask<Q extends keyof Questions>(question: Q, body: Questions[Q]["ask"]): Promise<Questions[Q]["answer"]> {
    const start = performance.now();
    const answer = await askWorker("vault.ask", { question: JSON.stringify({ [question]: body }) });
    // How long it took, for whoever measures the page; nothing of what was asked.
    performance.measure(`vault.${question}`, { start });
    return answer as Questions[Q]["answer"];
  }

  /** A question that changes something: it is sent a moment later. */
  async act<Q extends keyof Questions>(question: Q, body: Questions[Q]["ask"]): Promise<Questions[Q]["answer"]> {
    const answer = await this.ask(question, body);
    await this.changed();
    return answer;
  }

  /** Makes or changes an item. Secrets go as bytes, which the Worker takes. */
  async save(id: string | null, folder: string | null, draft: Draft, secrets: string[] = []): Promise<string> {
    const bytes = secrets.map((secret) => new TextEncoder().encode(secret).buffer);
    const made = await askWorker("vault.save", { item: id, folder, draft, secrets: bytes });
    await this.changed();
    return made;
  }

  async secret(item: string, name: string): Promise<string> {
    const bytes = new Uint8Array(await askWorker("vault.secret", { item, name }));
    const text = new TextDecoder().decode(bytes);
    bytes.fill(0);
    return text;
  }

  history = (item: string): Promise<Past[]> => askWorker("vault.history", { item });

  async revert(item: string, number: number): Promise<void> {
    await askWorker("vault.revert", { item, number });
    await this.changed();
  }

  async changed(): Promise<void> {
    this.frame = await this.ask("frame", {});
    this.pending = this.frame.pending;
    if (this.standing === "synced") this.standing = "waiting";
    this.version++;
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.sync(), AFTER_EDIT_MS);
  }

  /** Now, or once more behind the exchange that runs. */
  sync(): void {
    if (this.being !== "open") return;
    if (this.#running) this.#again = true;
    else void this.#exchange();
  }

  async #exchange(): Promise<void> {
    clearTimeout(this.#timer);
    [this.#running, this.#again, this.standing] = [true, false, "syncing"];
    try {
      const start = performance.now();
      const done = await this.#sent();
      performance.measure("vault.sync", { start });
      [this.pending, this.error, this.#pause] = [done.pending, undefined, PAUSE_MS];
      this.standing = done.pending > 0 ? "waiting" : "synced";
      [this.old, this.oldAll] = [done.old, done.old > 0 ? Math.max(done.old, this.oldAll) : 0];
      // It goes on at once: nobody is asked to wait for it.
      if (done.old > 0) this.#again = true;
      if (done.conflicts.length > 0) this.conflicts = [...done.conflicts, ...this.conflicts];
      if (done.changed.length + done.conflicts.length + done.sent > 0 && this.being === "open") await this.#opened();
    } catch (cause) {
      this.error = failed(cause);
      const { code } = this.error;
      if (code === "no_key") account.isStale = true;
      this.standing = ALARMS.includes(code) ? "alarm" : OFFLINE.includes(code) ? "offline" : "failed";
      if (this.standing !== "alarm") this.#timer = setTimeout(() => this.sync(), this.#pause);
      this.#pause = Math.min(this.#pause * 2, PAUSE_MS_MAX);
    } finally {
      this.#running = false;
    }
    this.isKept = await askWorker("vault.keep", {}).catch(() => false);
    if (this.#again) this.sync();
  }

  /** A confirmation in another tab makes a session of its own: its word is asked for once. */
  async #sent(): Promise<Synced> {
    try {
      return await askWorker("vault.sync", { csrf: account.session?.csrf ?? "" });
    } catch (error) {
      if (failed(error).code !== "bad_csrf") throw error;
      account.session = await session();
      return askWorker("vault.sync", { csrf: account.session.csrf });
    }
  }

  #told(state: State): void {
    [this.pending, this.fingerprint, this.signer] = [state.pending, state.fingerprint, state.signer];
  }
}

const AFTER_EDIT_MS = 1000;
const EVERY_MS = 30_000;
const PAUSE_MS = 2000;
const PAUSE_MS_MAX = 60_000;
const ALARMS = ["rollback", "fork"];
const OFFLINE = ["unreachable", "busy", "store_unavailable"];

export const vault = new VaultState();

// Another tab changed the key: that is seen at the server.
hear(({ what, vault: id }) => what === "rotated" && id === account.vault?.vault && vault.sync());

/** What is looked for among the notes. It is in no address: a browser writes those into its history. */
export const looked = $state({ words: "", tag: "" });

/** Collects what a form has of secrets: what was typed anew goes along, what was not touched stays. */
export class Secrets {
  readonly list: string[] = [];

  /** `typed` is nothing where the field was not opened, `place` where the secret was before. */
  want(typed: string | undefined, place: number | undefined): Wanted {
    if (typed === undefined) return place === undefined ? "none" : { keep: place };
    if (typed === "") return "none";
    return { slot: this.list.push(typed) - 1 };
  }
}

/** A draft of a new item. */
export function blank(contents: Draft["contents"], title = ""): Draft {
  return { title, body: "", tags: [], pinned: false, template: false, contents };
}

export const now = (): [number, number, number, number, number] => {
  const at = new Date();
  return [at.getFullYear(), at.getMonth() + 1, at.getDate(), at.getHours(), at.getMinutes()];
};

export const KINDS: Record<Contents["kind"], string> = {
  note: "Note",
  folder: "Folder",
  profile: "Profile",
  login: "Login",
  api_key: "API key",
  connection: "Connection",
  attachment: "File",
  claims: "Claims",
};
