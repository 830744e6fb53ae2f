/** Ways in: what opens the vault (a wrap) and what signs in (a credential), which belong together. */
import * as api from "../api/account";
import { fromHex, toBase58, toBase64Url } from "../methods/bytes";
import type { Method } from "../methods/method";
import { recovery } from "../methods/recovery";
import type { Proposed, VaultOverview, Wrap } from "../worker/account.protocol";
import { ask } from "../worker/core";
import { account } from "./account.svelte";

/** One row of the list. A wrap alone opens and does not sign in; a credential alone signs in and does not open. */
export type WayIn = { id: string; wrap: Wrap | undefined; credential: api.Credential | undefined };

/** Joins both lists. Credentials of one method that have no name in common are told apart by what they are of. */
export function waysOf(vault: VaultOverview | undefined, credentials: api.Credential[]): WayIn[] {
  const left = new Set(credentials);
  const joined = (vault?.wraps ?? []).map((wrap): WayIn => {
    // A code's own sign-in before one that says only that it is a code's.
    const credential = [...left].find(({ name }) => name === nameOfCode(wrap.id)) ?? [...left].find((one) => isOf(one, wrap));
    if (credential) left.delete(credential);
    return { id: wrap.id, wrap, credential };
  });
  return [...joined, ...[...left].map((credential) => ({ id: credential.id, wrap: undefined, credential }))];
}

const NAMES: Record<string, string> = {
  passkey: "Passkey",
  password: "Password",
  ethereum: "Ethereum wallet",
  solana: "Solana wallet",
  recovery: "Recovery code",
  key: "Device key",
};

export const kindOf = ({ wrap, credential }: WayIn) => wrap?.method ?? credential?.method ?? "key";

/** What a way is called. */
export function titleOf(way: WayIn): string {
  const { credential, wrap } = way;
  const account = wrap?.account;
  if (account) return `${NAMES[kindOf(way)]} ${account.slice(0, 6)}…${account.slice(-4)}`;
  if (!wrap && credential && isCode(credential)) return "Recovery code of before";
  if (credential && credential.method === "key" && !isCode(credential)) return credential.name;
  return NAMES[kindOf(way)] ?? kindOf(way);
}

function isOf({ method, name, subject }: api.Credential, wrap: Wrap): boolean {
  switch (wrap.method) {
    case "passkey":
      return method === "passkey" && subject === wrap.passkey;
    case "password":
      return method === "password";
    case "recovery":
      return method === "key" && name === RECOVERY;
    case "ethereum":
      return method === "ethereum" && subject === base64UrlOfHex(wrap.account ?? "");
    case "solana":
      return method === "solana" && base58(subject ?? "") === wrap.account;
    default:
      return false;
  }
}

/** Adds a way to sign in and to open. Both or neither. */
export async function add(method: Method): Promise<void> {
  await account.confirm();
  const vault = await fresh();
  const proved = await method.prove("add");
  await method.bring(vault.id, true);
  const proposed = await ask("custody.add", { version: vault.version, wrap: undefined });
  const credential = await api.addCredential({ ...proved, name: method.name });
  try {
    await put(proposed);
  } catch (error) {
    await api.removeCredential(credential.id).catch(() => undefined);
    throw error;
  }
}

/** Removes a way. What the core refuses, as the last one, changes nothing. */
export async function remove({ wrap, credential }: WayIn): Promise<void> {
  await account.confirm();
  const vault = await fresh();
  const proposed = wrap && (await ask("custody.remove", { version: vault.version, wrap: wrap.id }));
  if (credential) await api.removeCredential(credential.id);
  if (proposed) await put(proposed);
}

/** Makes a recovery code, in the place of the one of before where there is one. Gives its words. */
export async function newCode(before: WayIn | undefined): Promise<string> {
  await account.confirm();
  const vault = await fresh();
  const { phrase } = await ask("custody.code", { isNew: true });
  const method = recovery(undefined);
  const proved = await method.prove("add");
  const proposed = await ask("custody.add", { version: vault.version, wrap: before?.wrap?.id });
  await api.addCredential({ ...proved, name: nameOfCode(proposed.wrap ?? "") });
  await put(proposed);
  if (before?.credential) await api.removeCredential(before.credential.id);
  return phrase;
}

/** The vault as the server has it now, so that a change keeps what another device changed. */
export async function fresh(): Promise<{ id: string; version: number }> {
  const vault = await api.vault();
  account.vault = await ask("custody.refresh", { view: vault.text });
  return vault;
}

async function put(proposed: Proposed): Promise<void> {
  await api.putWraps(proposed.body);
  account.vault = await ask("custody.taken", {});
}

export const RECOVERY = recovery(undefined).name;

/** How the sign-in of a code is told from that of another: by the wrap that it belongs to. */
export const nameOfCode = (wrap: string) => `${RECOVERY} ${wrap.slice(0, 8)}`;

/** Whether it is a recovery code's way to sign in. */
export const isCode = ({ method, name }: api.Credential) => method === "key" && (name === RECOVERY || /^Recovery code [0-9a-f]{8}$/.test(name));

function base64UrlOfHex(address: string): string {
  return toBase64Url(fromHex(address));
}

function base58(subject: string): string {
  return toBase58(Uint8Array.from(atob(subject.replaceAll("-", "+").replaceAll("_", "/")), (char) => char.charCodeAt(0)));
}
