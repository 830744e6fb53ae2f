/** What the page asks of the vault, and what comes back: the JSON of `page-core/src/vault/ask.rs`. */
import type { Narrow, Schemas } from "../../api/types";

export type Kind = "note" | "folder" | "profile" | "login" | "api_key" | "connection" | "attachment" | "claims";

/** A line of a list. Times are milliseconds since 1970. */
export type Row = {
  id: string;
  kind: Kind;
  title: string;
  tags: string[];
  pinned: boolean;
  template: boolean;
  folder: string | null;
  created: number;
  updated: number;
  trashed: boolean;
  pending: boolean;
  conflict_of: string | null;
  about: string;
  /** What of the text was found, and where in it the words stand. */
  snippet?: string;
  marks?: [number, number][];
};

export type Field = { name: string; kind: "text" | "hidden" | "boolean"; value: string | null };

export type Contents =
  | { kind: "note" }
  | { kind: "folder" }
  | { kind: "profile"; username: string; email: string; picture: { media_type: string; base64: string } | null }
  | { kind: "login"; username: string; uris: string[]; has_password: boolean; has_totp: boolean; fields: Field[] }
  | { kind: "api_key"; service: string; scopes: string[]; expires: number | null; has_key: boolean }
  | { kind: "connection"; service: string; base_url: string; scheme: string; has_credential: boolean }
  | { kind: "attachment"; media_type: string; length: number; blob: string }
  /** What an issuer says of the owner, without what it says. */
  | { kind: "claims"; issuer: string; until: string };

export type Item = {
  row: Row;
  body: string;
  /** What an editor began with. */
  stamp: string;
  contents: Contents;
  /** Where each wiki link leads. */
  links: Record<string, string | null>;
  backlinks: Row[];
  path: string[];
};

export type Past = { number: number; updated: number; trashed: boolean; title: string; body: string; contents: Contents };

export type Frame = {
  folders: Row[];
  templates: Row[];
  tags: { tag: string; count: number }[];
  notes: number;
  items: number;
  trashed: number;
  pending: number;
  unreadable: number;
};

/** A secret that stays as it is (a field: which one), is none, or is among those handed over: `secrets[slot]`. */
export type Wanted = { keep: number } | "none" | { slot: number };

export type Draft = {
  title: string;
  body: string;
  tags: string[];
  pinned: boolean;
  template: boolean;
  contents:
    | { note: Record<never, never> }
    | { folder: Record<never, never> }
    | { profile: { username: string; email: string; picture: "keep" | "none" | { new: { media_type: string; base64: string } } } }
    | { login: { username: string; uris: string[]; password: Wanted; totp: Wanted; fields: { name: string; kind: Field["kind"]; value: Wanted }[] } }
    | { api_key: { service: string; scopes: string[]; expires: number | null; key: Wanted } }
    /** Service, base URL, and the scheme that the broker gave; the credential is the one secret beside it. */
    | { connection: [string, string, string] };
};

export type Listed = { kinds: Kind[]; within: string | null; tag: string | null; trashed: boolean; query: string; max: number };

type Now = [year: number, month: number, day: number, hour: number, minute: number];

/** Questions by their names, and the type of the answer. */
export type Questions = {
  list: { ask: Listed; answer: { total: number; rows: Row[] } };
  frame: { ask: Record<never, never>; answer: Frame };
  item: { ask: { id: string }; answer: Item };
  resolve: { ask: { title: string }; answer: string | null };
  write: { ask: { id: string; base: string; title: string; body: string }; answer: Written };
  mark: { ask: { id: string; pinned?: boolean; template?: boolean; tags?: string[] }; answer: null };
  move: { ask: { id: string; folder: string | null }; answer: null };
  rename: { ask: { id: string; title: string }; answer: null };
  trash: { ask: { id: string }; answer: null };
  restore: { ask: { id: string }; answer: null };
  erase: { ask: { id: string }; answer: null };
  from_template: { ask: { template: string; title: string; folder: string | null; now: Now }; answer: string };
  daily: { ask: { folder: string | null; template: string | null; now: Now }; answer: string };
};

/** Where the note was another one by now, `copy` is the one that has what was written. */
export type Written = { stamp: string; copy: string | null; relinked: number };

export type State = { counter: number | null; pending: number; fingerprint: string; signer: string };

export type Synced = {
  changed: string[];
  conflicts: { item: string; copy: string }[];
  sent: number;
  pending: number;
  /** How many items an older data key sealed, which this tab seals anew. */
  old: number;
};

export type Started = State & {
  /** What became of the copy that this browser kept. */
  kept: "none" | "used" | "refused";
};

export type Shown = { kind: Kind; title: string; body: string; contents: Contents; sender?: string; created?: number };

/** A share as the server lists it. */
export type ShareRow = Narrow<
  Schemas["ShareRow"],
  { item?: string; expires_unix_ms: number | null; views_max: number | null; revoked_unix_ms: number | null }
>;

export type Shares = { made: (ShareRow & { title: string | null })[]; received: ShareRow[] };

/** What was not taken in or written out, and why. */
export type LeftOut = { what: string; why: string };

/** `changed`: what is in the file, and otherwise than here. */
export type Exported = { file: File; items: number; files: number; left_out: LeftOut[]; changed: LeftOut[] };

export type Imported = { created: number; updated: number; unchanged: number; files: number; left_out: LeftOut[] };

/** What `vault.*` of the Worker's protocol are. */
export type VaultRequests = {
  "vault.open": { ask: { csrf: string }; answer: Started };
  "vault.ask": { ask: { question: string }; answer: unknown };
  "vault.save": { ask: { item: string | null; folder: string | null; draft: Draft; secrets: ArrayBuffer[] }; answer: string };
  "vault.secret": { ask: { item: string; name: string }; answer: ArrayBuffer };
  /** Hands claims, with the holder's secret, to the prover's Worker. They come to the page in no other way. */
  "vault.hand": { ask: { item: string; to: MessagePort }; answer: null };
  "vault.sync": { ask: { csrf: string }; answer: Synced };
  /** Goes on under the keys that the account was opened with anew. */
  "vault.rekey": { ask: Record<never, never>; answer: undefined };
  "vault.keep": { ask: Record<never, never>; answer: boolean };
  "vault.history": { ask: { item: string }; answer: Past[] };
  "vault.revert": { ask: { item: string; number: number }; answer: null };
  "vault.recipient": { ask: { handle: string }; answer: { share_key: string; fingerprint: string } };
  "vault.share": { ask: { item: string; handle: string; share_key: string; expires: number | null }; answer: null };
  "vault.link": { ask: { item: string; expires: number; views: number | null }; answer: { id: string; fragment: string } };
  "vault.shares": { ask: Record<never, never>; answer: Shares };
  "vault.unshare": { ask: { share: string }; answer: null };
  /** Looks at what somebody shared, once: the server counts. */
  "vault.look": { ask: { share: string }; answer: Shown };
  /** Takes what was looked at into the vault. */
  "vault.take": { ask: { share: string }; answer: string };
  /** A share behind a link; nobody needs an account for it. */
  "link.open": { ask: { share: string; fragment: ArrayBuffer }; answer: Shown & { views_left: number | null } };
  "link.secret": { ask: { name: string }; answer: ArrayBuffer };
  /** A new attachment; resumed where its upload broke off; fetched whole; its chunks dropped. */
  "vault.attach": { ask: { file: File }; answer: string };
  "vault.resume": { ask: { item: string; file: File }; answer: string };
  "vault.chunks": { ask: { item: string }; answer: { there: number; count: number } };
  "vault.fetch": { ask: { item: string }; answer: File };
  /** All of it as a file: notes and files in a zip, or what Bitwarden reads. */
  "vault.export": { ask: { as: "markdown" | "bitwarden" }; answer: Exported };
  /** Files of a folder by their paths in it, or one zip. */
  "vault.import": { ask: { given: { path: string; file: File }[] }; answer: Imported };
  "vault.import-bitwarden": { ask: { file: File; passphrase: ArrayBuffer | undefined }; answer: Imported };
  "vault.drop": { ask: { item: string }; answer: null };
};
