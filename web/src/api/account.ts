/** What an account asks, one function a route (`specs/sessions.md`). The session is a cookie; the word beside it is
 * asked for anew by each page, and kept in its memory alone. */
import { ApiError, send, type Asked } from "./client";
import type { Narrow, Schemas } from "./types";

export type Purpose = "sign-up" | "sign-in" | "add" | "confirm";
export type SignIn = "passkey" | "password" | "key" | "ethereum" | "solana";

export type Session = Narrow<Schemas["SessionView"], { method: SignIn; confirmed_until_unix_ms: number | null }>;

export type ChallengeAsk = Narrow<
  Schemas["Ask"],
  { purpose: Purpose; method: SignIn; handle?: string; opaque?: { request: string }; address?: string; chain_id?: number }
>;

/** What a browser is asked of a passkey is WebAuthn's. */
export type Challenge = Narrow<
  Omit<Schemas["Asking"], "passkey">,
  { opaque?: Schemas["AskingOpaque"]; message?: string; nonce?: string }
> & { passkey?: unknown };

/** A proof is of its method: the document says that it is one. */
export type Proved = Omit<Schemas["Answer"], "proof"> & { proof: unknown };

export type Credential = Narrow<Schemas["CredentialView"], { method: SignIn; subject?: string; last_used_unix_ms: number | null }>;

export type SessionRow = Narrow<Schemas["SessionRow"], { method: SignIn }>;

/** What an event is about depends on its kind. */
export type AccountEvent = Omit<Schemas["EventView"], "detail"> & { detail: Record<string, unknown> | null };

let word: string | undefined;

/** Says `gone` when the session is no longer good. */
export const gone = new EventTarget();

/** A request of the account's session; also for what other files ask of its vault. */
export async function ask(path: string, asked: Asked = {}): Promise<Response> {
  try {
    return await send(path, { ...asked, word });
  } catch (error) {
    const code = error instanceof ApiError ? error.code : undefined;
    if (code === "no_session") gone.dispatchEvent(new Event("gone"));
    // Another tab confirmed who is here: the session is a new one, with another word.
    if (code !== "bad_csrf") throw error;
    await session();
    return send(path, { ...asked, word });
  }
}

export async function askJson<T>(path: string, asked: Asked = {}): Promise<T> {
  return (await ask(path, asked)).json() as Promise<T>;
}

async function kept(path: string, asked: Asked = {}): Promise<Session> {
  const session = await askJson<Session>(path, asked);
  word = session.csrf;
  return session;
}

export const session = () => kept("/api/session");
export const signUp = (made: Proved & { name?: string; vault: unknown }) =>
  kept("/api/account", { method: "POST", json: made });
export const signIn = (proved: Proved) => kept("/api/session", { method: "POST", json: proved });
export const confirm = (proved: Proved) => kept("/api/session/confirm", { method: "POST", json: proved });

export async function signOut(): Promise<void> {
  await ask("/api/session", { method: "DELETE" });
  word = undefined;
}

/** The end of the account and of everything in it. */
export const deleteAccount = () => ask("/api/account", { method: "DELETE" });

export const challenge = (asked: ChallengeAsk) =>
  askJson<Challenge>("/api/account/challenge", { method: "POST", json: asked });

export const credentials = () => askJson<{ handle: string | null; credentials: Credential[] }>("/api/account/credentials");
export const addCredential = (made: Proved & { name: string }) =>
  askJson<Credential>("/api/account/credentials", { method: "POST", json: made });
export const removeCredential = (id: string) => ask(`/api/account/credentials/${id}`, { method: "DELETE" });

export const sessions = async () => (await askJson<{ sessions: SessionRow[] }>("/api/sessions")).sessions;
export const endSession = (id: string) => ask(`/api/sessions/${id}`, { method: "DELETE" });
export const endSessions = () => ask("/api/sessions", { method: "DELETE" });

export const events = async (after: number) =>
  (await askJson<{ events: AccountEvent[] }>(`/api/audit?after=${after}&limit=1000`)).events;

/** The vault's keys: as text for the Worker, which believes what opens, and what the page reads of it. */
export async function vault(): Promise<{ text: string; id: string; version: number; bytes: number }> {
  const text = await (await ask("/api/vault")).text();
  const { id, keys_version, used_bytes } = JSON.parse(text) as Schemas["VaultView"];
  return { text, id, version: keys_version, bytes: used_bytes };
}

export const putWraps = (body: unknown) =>
  askJson<Schemas["KeysVersion"]>("/api/vault/wraps", { method: "PUT", json: body });
