/** What the page may ask of the prover's Worker, and what comes back: the JSON of `shell/page-prove`. */
import type { Refused } from "./protocol";

/** A question, as its holder is shown it. */
export type Question = {
  audience: string;
  account: string;
  expires_unix_ms: number;
  /** The words that the evidence is bound to, as they stand in the request. */
  words: string;
  at_least_years: number;
  group: string;
  /** Keys, of which one has to have signed the claims. */
  issuers: string[];
  takes_demo: boolean;
};

/** Claims at hand, without their values. */
export type Holding = { issuer: string; issuer_name: string; until: string; demo: boolean };

/** What takes time here. A key is made once in a browser, then read. */
export type Phase = "make-key" | "read-key" | "prove";

/** How long each is expected to take, in milliseconds. */
export type Weighed = Record<Phase, number> & { isKept: boolean };

export type Proven = {
  /** What the relying party is sent. */
  presentation: string;
  /** SHA-256 of the verifying key that the proof is of. */
  verifying_key: string;
  key_ms: number;
  proof_ms: number;
  /** How many Workers made it. */
  threads: number;
};

export type ProveRequests = {
  look: { ask: { request: string }; answer: Question };
  /** Tries how quick this device is. Refuses `too_slow` and `memory`. */
  weigh: { ask: object; answer: Weighed };
  /** Claims of the demo issuer, signed here. */
  demo: { ask: { birth: ArrayBuffer; nationality: ArrayBuffer; number: ArrayBuffer; expiry: ArrayBuffer }; answer: Holding };
  /** Claims of the vault: the core's Worker sends them through the port. */
  hold: { ask: { from: MessagePort }; answer: Holding };
  prove: { ask: { request: string }; answer: Proven };
};

export type ProveKind = keyof ProveRequests;
export type ProveAsk = { [K in ProveKind]: { id: number; kind: K } & ProveRequests[K]["ask"] }[ProveKind];
/** `phase` and `pool` come before the answer, where one begins, and where it wants helpers. */
export type ProveReply = { id: number; value: unknown } | { id: number; error: Refused } | { id: number; phase: Phase } | { id: number; pool: Pool };

/** What so many helpers are started with: the prover's own module, over its own memory. */
export type Pool = { helpers: number; module: WebAssembly.Module; memory: WebAssembly.Memory };
/** The one thing that a helper is told. */
export type Help = { kind: "help" } & Omit<Pool, "helpers">;

/** What goes from the core's Worker to the prover's: the holder's record, or why there is none. */
export type Handed = { record: ArrayBuffer } | { error: Refused };
