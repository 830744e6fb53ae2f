/** The operator's key that this browser saw first from this server: receipts are verified with it and no other. */
const KEPT = "symbolon.operator";

export type Pinned = { key: string; since: string };

export function pinned(): Pinned | undefined {
  const text = localStorage.getItem(KEPT);
  if (!text) return undefined;
  const [since, key] = text.split(" ", 2);
  return since && key ? { key, since } : undefined;
}

/** Keeps the key where none was kept. Gives the one that counts. */
export function pin(key: string): Pinned {
  const before = pinned();
  if (before) return before;
  const now = { key: key.trim(), since: new Date().toISOString() };
  localStorage.setItem(KEPT, `${now.since} ${now.key}`);
  return now;
}

export function unpin(): void {
  localStorage.removeItem(KEPT);
}

/** The server's OPAQUE key that this browser saw first: to another one no password is shown. */
const SERVER = "symbolon.opaque";

export function pinnedServer(): string | undefined {
  return localStorage.getItem(SERVER) ?? undefined;
}

/** Keeps the key of a server that passed, where none was kept. */
export function pinServer(key: string): void {
  if (!pinnedServer()) localStorage.setItem(SERVER, key);
}
