/** Copies of items for others, and those of others. */
import { Linked, Vault } from "../core/symbolon_page_core.js";
import { Server } from "./http";
import type { Row, ShareRow, Shares, Shown } from "./types";

/** What was looked at, sealed as it came: a share may be shown once only. */
let looked: { id: string; sealed: Uint8Array } | undefined;
let linked: Linked | undefined;

export function forget(): void {
  looked = undefined;
}

export async function recipient(server: Server, handle: string): Promise<{ share_key: string; fingerprint: string }> {
  const { share_key } = JSON.parse(await server.text("GET", `/api/shares/keys/${encodeURIComponent(handle)}`)) as { share_key: string };
  return { share_key, fingerprint: Vault.fingerprint_of(share_key) };
}

type Given = { item: string; handle: string; share_key: string; expires: number | null };

/** Seals to the key whose fingerprint was shown, whatever the server would say by now. */
export async function send(vault: Vault, server: Server, { item, handle, share_key, expires }: Given): Promise<null> {
  const sealed = base64url(vault.share_with(item, share_key));
  await server.text("POST", "/api/shares", JSON.stringify({ to: handle, item, sealed, expires_unix_ms: expires, views_max: null }));
  return null;
}

type Link = { item: string; expires: number; views: number | null };

export async function link(vault: Vault, server: Server, { item, expires, views }: Link): Promise<{ id: string; fragment: string }> {
  const made = vault.share_link(item);
  const { id, fragment } = made;
  const sealed = base64url(made.sealed);
  made.free();
  await server.text("POST", "/api/shares", JSON.stringify({ id, item, sealed, expires_unix_ms: expires, views_max: views }));
  return { id, fragment };
}

export async function list(vault: Vault, server: Server): Promise<Shares> {
  const all = JSON.parse(await server.text("GET", "/api/shares")) as { made: ShareRow[]; received: ShareRow[] };
  const title = (id: string | undefined): string | null => {
    if (!id) return null;
    try {
      return (JSON.parse(vault.ask(JSON.stringify({ item: { id } }))) as { row: Row }).row.title;
    } catch {
      // It was erased: the share goes on without its name.
      return null;
    }
  };
  return { made: all.made.map((one) => ({ ...one, title: title(one.item) })), received: all.received };
}

export async function look(vault: Vault, server: Server, id: string): Promise<Shown> {
  if (looked?.id !== id) {
    const { sealed } = JSON.parse(await server.text("GET", `/api/shares/${id}`)) as { sealed: string };
    looked = { id, sealed: bytes(sealed) };
  }
  return JSON.parse(vault.received(looked.sealed)) as Shown;
}

export function take(vault: Vault, id: string): string {
  if (looked?.id !== id) throw new Error("Look at it first.");
  return vault.take(looked.sealed);
}

export async function openLink(id: string, fragment: ArrayBuffer): Promise<Shown & { views_left: number | null }> {
  linked?.free();
  linked = undefined;
  const key = new Uint8Array(fragment);
  try {
    // What is no key is told without a view being counted.
    Linked.check(id, key);
    const told = JSON.parse(await new Server("").text("GET", `/api/shares/${encodeURIComponent(id)}`)) as { sealed: string; views_left: number | null };
    linked = Linked.open(id, key, bytes(told.sealed));
    return { ...(JSON.parse(linked.shown()) as Shown), views_left: told.views_left };
  } finally {
    key.fill(0);
  }
}

export function linkSecret(name: string): ArrayBufferLike {
  const secret = linked?.secret(name);
  if (!secret) throw new Error("There is no such secret.");
  return secret.buffer;
}

function base64url(of: Uint8Array): string {
  let text = "";
  for (let at = 0; at < of.length; at += 0x8000) text += String.fromCharCode(...of.subarray(at, at + 0x8000));
  return btoa(text).replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "");
}

function bytes(base64: string): Uint8Array {
  const text = atob(base64.replaceAll("-", "+").replaceAll("_", "/"));
  return Uint8Array.from(text, (sign) => sign.charCodeAt(0));
}
