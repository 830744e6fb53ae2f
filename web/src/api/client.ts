/** Requests to this origin, with both halves of the session: the cookie that the browser keeps, and the word that
 * only this page can read. The cookie alone is nothing, since browsers send it to every port of a host. */

const WORD = "symbolon.session";
const HEADER = "x-symbolon-csrf";

/** An error in a pair: what went wrong, and what to do next. */
export class ApiError extends Error {
  override name = "ApiError";
  constructor(
    readonly code: string,
    message: string,
    readonly next: string | undefined,
    readonly status: number,
  ) {
    super(message);
  }
}

export type Asked = {
  method?: "GET" | "POST" | "PUT" | "DELETE";
  json?: unknown;
  bytes?: { type: string; body: Uint8Array<ArrayBuffer> };
  accept?: string;
  signal?: AbortSignal;
  /** As nobody: without cookies, so that what is shown is tied to no session. */
  asNobody?: boolean;
  /** The word of another session than the owner's. */
  word?: string | undefined;
  /** The word of the account's session, where the owner's request needs both. */
  account?: string | undefined;
};

/** Sends a request and gives the answer, where it is a good one. */
export async function send(path: string, asked: Asked = {}): Promise<Response> {
  const headers = new Headers();
  const word = asked.asNobody ? undefined : "word" in asked ? asked.word : localStorage.getItem(WORD);
  if (word) headers.set(HEADER, word);
  if (asked.account) headers.set("x-symbolon-account-csrf", asked.account);
  if (asked.accept) headers.set("accept", asked.accept);
  let body: BodyInit | null = null;
  if (asked.bytes) {
    headers.set("content-type", asked.bytes.type);
    body = asked.bytes.body;
  } else if (asked.json !== undefined) {
    headers.set("content-type", "application/json");
    body = JSON.stringify(asked.json);
  }
  const method = asked.method ?? "GET";
  const init: RequestInit = { method, headers, body, cache: "no-store", redirect: "error" };
  if (asked.asNobody) init.credentials = "omit";
  if (asked.signal) init.signal = asked.signal;
  let response: Response;
  try {
    response = await fetch(path, init);
  } catch (cause) {
    if (asked.signal?.aborted) throw cause;
    throw new ApiError("unreachable", "The broker does not answer.", "symbolon serve", 0);
  }
  if (response.ok) return response;
  const error = await failure(response);
  if (error.code === "no_session" && !("word" in asked)) lost.dispatchEvent(new Event("lost"));
  throw error;
}

export async function json<T>(path: string, asked: Asked = {}): Promise<T> {
  return (await send(path, asked)).json() as Promise<T>;
}

async function failure(response: Response): Promise<ApiError> {
  const body = (await response.json().catch(() => ({}))) as Partial<ApiError>;
  const said = body.message ?? `The server answered ${response.status}.`;
  return new ApiError(body.code ?? "failed", said, body.next, response.status);
}

/** Says `lost` when the session is no longer good. */
export const lost = new EventTarget();

export function keepWord(response: Response): void {
  const word = response.headers.get(HEADER);
  if (word) localStorage.setItem(WORD, word);
}

export function hasWord(): boolean {
  return localStorage.getItem(WORD) !== null;
}

export function forgetWord(): void {
  localStorage.removeItem(WORD);
}
