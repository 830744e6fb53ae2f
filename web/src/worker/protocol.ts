/** What the page may ask of the Worker, and what comes back. */
import type { AccountRequests } from "./account.protocol";
import type { HomeRequests } from "./home.protocol";
import type { LeaseRequests } from "./lease.protocol";
import type { RotateRequests } from "./rotate.protocol";
import type { VaultRequests } from "./vault/types";

export type Requests = AccountRequests & HomeRequests & LeaseRequests & RotateRequests & VaultRequests & {
  /** Answers when the core is there. */
  "core.warm": { ask: object; answer: null };
  gave_way: { ask: { kept: string; now: string; succession: string }; answer: boolean };
  verify: {
    ask: { file: ArrayBuffer; key: string; succession?: ArrayBuffer | undefined; text?: ArrayBuffer | undefined };
    answer: Verdict;
  };
};

/** What was checked of a file, in the order in which it was checked. */
export type Check = { check: string; what: string };

/** Where something stands in a log, and what the log signed. */
type Place = { number: number; log: { origin: string; size: number; root: string } };

export type Receipt = Place & { verified: true; kind: "receipt"; checks: Check[]; leaf_hash: string; request: string; statement: Statement };

/** A certificate of authorship (`specs/authorship.md`); `digest` is known where it was shown, or a text was compared. */
export type Authorship = Place & {
  verified: true;
  kind: "authorship";
  checks: Check[];
  newest: number;
  commitment: string;
  digest: string | null;
  is_shown: boolean;
  has_salt: boolean;
  compared: boolean;
  handed_over: boolean;
  registered_unix_ms: number;
};

export type Verdict = Receipt | Authorship | { verified: false; checks: Check[]; failed: Check };

/** The predicate of a receipt (`specs/receipt.md`), as far as the page shows it by name. */
export type Statement = {
  agent: string;
  door: string;
  tool: string;
  service: string;
  connection: string;
  method: string;
  host: string;
  path_template: string;
  decision: { outcome: string; gates: { gate: string; held: boolean; detail: string }[] };
  intent?: { index: number; leaf_hash: string } | null;
  response?: {
    status: number;
    bytes_in: number;
    bytes_out: number;
    content_type: string;
    redactions: { form: string; count: number }[];
  } | null;
  approval?: Record<string, unknown> | null;
  error?: string | null;
  times: { requested: string; released?: string | null; completed: string };
  durability: string;
};

export type Kind = keyof Requests;
export type Ask = { [K in Kind]: { id: number; kind: K } & Requests[K]["ask"] }[Kind];
/** `progress` comes before the answer, from 0 to 1. */
export type Reply = { id: number; value: unknown } | { id: number; error: Refused } | { id: number; progress: number };

/** Why the core refused: `failed.rs`. */
export type Refused = { code: string; message: string; next?: string };
