/** Who is here, how the broker is, and what happens: what every view shares. */
import { forgetWord, hasWord, lost } from "../api/client";
import { watch, type Told } from "../api/live";
import * as api from "../api/owner";
import type { LiveEvent, ReceiptRow, Session, Status } from "../api/types";
import { failed, Loaded, type Failed } from "./load.svelte";
import { takeLink } from "./router.svelte";

export type Call = {
  /** The log entry at which it began, or of its refusal. */
  key: number;
  receipt: number | undefined;
  state: LiveEvent["what"];
  time: string;
  agent: string;
  tool: string;
  connection: string;
  status: number | undefined;
  tookMs: number | undefined;
  why: string | undefined;
};

type Who = { is: "asking" } | { is: "nobody"; why: Failed | undefined } | { is: "owner"; session: Session };

class Owner {
  who = $state.raw<Who>({ is: "asking" });
  status = new Loaded<Status>(api.status);
  /** The latest calls, newest first. */
  calls = $state.raw<Call[]>([]);
  /** Whether calls were asked for once. */
  knowsCalls = $state(false);
  waiting = $state(0);
  /** Grows with every question and answer. */
  asked = $state(0);
  /** Grows whenever something was set up, locked or unlocked. */
  setup = $state(0);
  watching = $state<"not yet" | "yes" | "again">("not yet");
  skipped = $state(0);

  async enter(): Promise<void> {
    const code = takeLink();
    try {
      if (code) this.who = { is: "owner", session: await api.openSession(code) };
      else if (hasWord()) this.who = { is: "owner", session: await api.session() };
      else this.who = { is: "nobody", why: undefined };
    } catch (error) {
      const why = failed(error);
      if (why.code === "no_session") forgetWord();
      this.who = { is: "nobody", why };
    }
  }

  /** The account that was signed in to here may be the owner's: then this browser is. Another one is told no. */
  async enterAs(account: string): Promise<void> {
    if (this.who.is === "owner") return;
    try {
      this.who = { is: "owner", session: await api.openAs(account) };
    } catch (error) {
      if (failed(error).code !== "not_owner") throw error;
    }
  }

  /** The account that was made here is the owner's from now on, where this browser is. */
  async join(account: string): Promise<void> {
    if (this.who.is === "owner") await api.join(account);
  }

  async leave(): Promise<void> {
    await api.closeSession();
    this.forget(undefined);
  }

  /** Nobody is here any more, and nothing of what was shown stays. */
  forget(why: Failed | undefined): void {
    forgetWord();
    this.who = { is: "nobody", why };
    [this.calls, this.knowsCalls, this.waiting, this.skipped] = [[], false, 0, 0];
    [this.status.value, this.status.error] = [undefined, undefined];
  }

  /** Watches for as long as somebody is here; gives what ends it. */
  watch(): () => void {
    const ending = new AbortController();
    void this.status.load();
    void this.#watch(ending.signal);
    return () => ending.abort();
  }

  async #watch(signal: AbortSignal): Promise<void> {
    let after: number | undefined;
    let pause = 500;
    while (!signal.aborted) {
      try {
        await watch(after, signal, (told) => {
          after = this.#hear(told) ?? after;
          pause = 500;
        });
      } catch {
        // It begins again below, where it stopped.
      }
      if (signal.aborted) return;
      this.watching = "again";
      await new Promise((done) => setTimeout(done, pause));
      pause = Math.min(pause * 2, 8000);
    }
  }

  /** Gives where to go on. */
  #hear(told: Told): number | undefined {
    switch (told.event) {
      case "hello":
        this.watching = "yes";
        if (!this.knowsCalls) void this.#begin();
        else void this.status.load();
        return told.data.entries;
      case "call":
        this.#put(call(told.data));
        return told.data.number + 1;
      case "approvals":
        this.waiting = told.data.pending;
        this.asked++;
        return undefined;
      case "setup":
        this.setup++;
        void this.status.load();
        return undefined;
      case "skipped":
        this.skipped += told.data.entries;
        return undefined;
    }
  }

  /** What happened before this page was opened. */
  async #begin(): Promise<void> {
    try {
      for (const row of (await api.receipts({ limit: KEPT })).reverse()) this.#put(before(row));
    } finally {
      this.knowsCalls = true;
    }
  }

  #put(one: Call): void {
    const known = this.calls.find((it) => it.key === one.key);
    // A row of the list can come after the event that says more.
    if (known && known.state !== "began" && known.state !== "open") return;
    const others = this.calls.filter((it) => it.key !== one.key && (one.receipt === undefined || it.receipt !== one.receipt));
    const at = others.findIndex((it) => it.key < one.key);
    const place = at < 0 ? others.length : at;
    this.calls = [...others.slice(0, place), one, ...others.slice(place)].slice(0, KEPT);
  }
}

const KEPT = 200;

function call(event: LiveEvent): Call {
  const isOver = event.what !== "began";
  return {
    key: event.began ?? event.number,
    receipt: isOver ? event.number : undefined,
    state: event.what,
    time: event.time,
    agent: event.agent,
    tool: event.tool,
    connection: event.connection,
    status: event.status,
    tookMs: event.took_ms,
    why: event.why,
  };
}

/** Of a receipt it is not known where its call began: its own place is near enough to sort by. */
function before(row: ReceiptRow): Call {
  return {
    key: row.number,
    receipt: row.outcome === "open" ? undefined : row.number,
    state: row.outcome,
    time: row.time,
    agent: row.agent,
    tool: row.tool,
    connection: row.connection,
    status: row.status ?? undefined,
    tookMs: row.took_ms ?? undefined,
    why: undefined,
  };
}

export const owner = new Owner();

lost.addEventListener("lost", () => {
  const why = { message: "Your session in this browser has ended.", next: "symbolon page", code: "no_session" };
  if (owner.who.is === "owner") owner.forget(why);
});
