import type { LogHead } from "../api/types";
import { gaveWay } from "./verify";

/** The operator's key that this browser saw first from this server, or one that it gave way to since: receipts are verified with it and no other. */
const KEPT = "symbolon.operator";

export type Pinned = { key: string; since: string };

export function pinned(): Pinned | undefined {
  const text = localStorage.getItem(KEPT);
  if (!text) return undefined;
  const [since, key] = text.split(" ", 2);
  return since && key ? { key, since } : undefined;
}

/** Keeps the key where none was kept, and where the one that was gave way to it by both their signatures. Gives the one that counts. */
export async function pin(log: Pick<LogHead, "vkey" | "succession">): Promise<Pinned & { isOther: boolean }> {
  const key = log.vkey.trim();
  const before = pinned();
  if (before?.key === key) return { ...before, isOther: false };
  if (before && !(log.succession && (await gaveWay(before.key, key, log.succession)))) return { ...before, isOther: true };
  const now = { key, since: new Date().toISOString() };
  localStorage.setItem(KEPT, `${now.since} ${now.key}`);
  return { ...now, isOther: false };
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
