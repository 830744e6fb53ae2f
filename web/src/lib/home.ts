/** The broker's home, unlocked by a passkey, and the passkeys that do. */
import * as api from "../api/home";
import { session } from "../api/owner";
import { toBase64Url } from "../methods/bytes";
import { MethodError } from "../methods/method";
import { make, show, type Tapped } from "../methods/tap";
import { ask } from "../worker/core";
import { account } from "./account.svelte";
import { failed } from "./load.svelte";
import { owner } from "./owner.svelte";

/** One tap. Who unlocked it elsewhere meanwhile is as good. */
export async function unlock(): Promise<void> {
  try {
    const asked = await api.unlockKey();
    const tapped = await show(asked, asked.passkeys.map(({ credential }) => credential));
    const id = toBase64Url(new Uint8Array(tapped.credential));
    const passkey = asked.passkeys.find(({ credential }) => credential === id);
    if (!passkey) throw new MethodError("unusable", "This passkey does not open this broker.", "Choose one that was added to it.");
    const sealed = await seal(asked, passkey.salt, tapped, false);
    owner.status.value = await api.unlock({ nonce: asked.nonce, wrap: passkey.wrap, sealed });
  } catch (error) {
    if (failed(error).code !== "open") throw error;
    await owner.status.load();
  }
}

/** Adds a passkey: one of those that are named, or a new one where none is. */
export async function addWay(among: string[]): Promise<void> {
  await confirmed();
  const asked = await api.wayKey();
  const tapped = among.length > 0 ? await show(asked, among) : await make(asked);
  const sealed = await seal(asked, asked.salt ?? "", tapped, true);
  await api.addWay({ nonce: asked.nonce, credential: toBase64Url(new Uint8Array(tapped.credential)), sealed });
  await owner.status.load();
}

export async function removeWay(id: string): Promise<void> {
  await confirmed();
  await api.removeWay(id);
  await owner.status.load();
}

/** Who opens the broker is changed by its owner, who showed within the last minutes that they are: by a link, or by the
 * account that is theirs. Where neither is at hand the broker says so. */
async function confirmed(): Promise<void> {
  // A lock ended what this page was told when the session began.
  const { confirmed_until } = await session();
  if (Date.parse(confirmed_until) > Date.now() + 30_000 || !account.isHere) return;
  await account.confirm();
  try {
    owner.who = { is: "owner", session: await api.confirmSession(account.session?.csrf ?? "") };
  } catch (error) {
    if (failed(error).code !== "not_owner") throw error;
  }
}

function seal(asked: api.TapAsked, salt: string, { credential, prf }: Tapped, adds: boolean): Promise<string> {
  const { vault, key, nonce, expires_unix_ms: expires } = asked;
  // The id is still needed here.
  return ask("home.tap", { adds, vault, key, nonce, expires, salt, credential: credential.slice(0), prf });
}
