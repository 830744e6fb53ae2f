/** What the server says, by the names that the page has for it: each is of `schema.ts`, which is made of the server's own
 * document. Times are RFC 3339. */
import type { components } from "./schema";

export type Schemas = components["schemas"];

/** A schema some of whose members are told apart: the document has texts where the page knows the words. A member that is
 * not the schema's, or could not be, is no type. */
export type Narrow<T, N extends { [K in keyof N]: K extends keyof T ? T[K] : never }> = Omit<T, keyof N> & N;

export type Status = Schemas["Status"];
export type Session = Schemas["PageSession"];
export type LogHead = Schemas["LogHead"];

/** How a call ended; `open` has no receipt (yet). */
export type Outcome = "allowed" | "shadowed" | "refused" | "failed" | "open";

export type ReceiptRow = Narrow<Schemas["ReceiptRow"], { outcome: Outcome; status: number | null; took_ms: number | null }>;

export type LiveEvent = Narrow<
  Schemas["LiveEvent"],
  { what: "began" | Outcome; began?: number; status?: number; took_ms?: number; why?: string }
>;

export type ExactRequest = Narrow<
  Schemas["ExactRequest"],
  { headers: [string, string][]; body?: string; body_encoding: "none" | "text" | "base64"; body_cut?: boolean }
>;

export type Approval = Narrow<
  Schemas["Approval"],
  {
    effect: Effect;
    state: "pending" | "approved" | "used" | "denied" | "expired" | "withdrawn" | "locked" | "stopped";
    request?: ExactRequest;
    decided_by?: string;
    decided_via?: string;
    decided?: string;
    receipt?: number;
  }
>;

export type Remembered = Schemas["Remembered"];
export type Approvals = Narrow<Schemas["Approvals"], { pending: Approval[]; ended: Approval[] }>;

export type Effect = "read" | "write" | "destructive";

export type ServiceRow = Schemas["ServiceRow"];
export type Scope = Narrow<Schemas["Scope"], { effect: Effect }>;
export type Service = Narrow<Schemas["Service"], { scopes: Scope[] }>;

export type Connection = Narrow<Schemas["Connection"], { lent?: boolean; ended?: string; verified?: number }>;

/** The line of `specs/page.md`, "A connection with its credential": the document knows its bytes alone. */
export type NewConnection = {
  service: string;
  name?: string;
  base_url?: string;
  ca_pem?: string;
  variables?: Record<string, string>;
  allow_loopback?: boolean;
  allow_private?: boolean;
  user?: string;
  verify: boolean;
};

export type Verified = Narrow<
  Schemas["Verified"],
  { status?: number; who?: string; scopes?: string[]; ends?: string; token_ends?: string; last_used?: string; receipt?: number; next?: string }
>;

export type Agent = Narrow<Schemas["Agent"], { made_by?: string }>;
export type Budget = Narrow<Schemas["Budget"], { renews?: string }>;

export type Grant = Narrow<
  Schemas["Grant"],
  { budgets: Budget[]; cooldown_seconds?: number; state: "active" | "expired" | "revoked" }
>;

export type NewGrant = Narrow<
  Schemas["NewGrant"],
  { for_seconds: number; connection: string; limits: string[]; ask: string[] }
>;
