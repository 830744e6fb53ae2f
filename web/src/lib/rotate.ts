/** Another data key for the vault: the ways that are kept are shown, the recovery code is a new one, and one change at
 * the server puts all of it in place. Whatever is cut short before that change has changed nothing; what is sealed
 * under the key before is sealed anew by whichever tab or device comes next. */
import * as api from "../api/account";
import type { Method } from "../methods/method";
import { ask } from "../worker/core";
import { account } from "./account.svelte";
import { failed } from "./load.svelte";
import { tell } from "./tabs";
import { vault } from "./vault.svelte";
import { fresh, isCode, nameOfCode, type WayIn } from "./ways";

/** The code's way to sign in, while it is not known whether the server took the change. */
let unheard: string | undefined;

export async function begin(): Promise<void> {
  unheard = undefined;
  await ask("rotate.begin", {});
}

export const giveUp = () => ask("rotate.end", {});

/** Shows a way, so that it opens the vault afterwards too. Gives its wrap. */
export async function keep(method: Method): Promise<string> {
  await account.confirmBy(method);
  await method.bring(account.vault?.vault ?? "", true);
  return ask("rotate.keep", {});
}

/** The words of the new recovery code. */
export const code = async () => (await ask("rotate.code", {})).phrase;

/** Puts the new key in place. What of `ways` is not in `kept` is no way in any more. */
export async function finish(kept: string[], ways: WayIn[]): Promise<void> {
  await account.confirm();
  // It signs in before it opens: a cut in between leaves a code too many, and never one that lets nobody in.
  unheard ??= await addCode();
  // A confirmation in another tab makes a session of its own.
  account.session = await api.session();
  try {
    account.vault = await ask("rotate.send", { csrf: account.session.csrf });
  } catch (error) {
    if (failed(error).code !== "unheard") {
      await api.removeCredential(unheard).catch(() => undefined);
      unheard = undefined;
    }
    throw error;
  }
  unheard = undefined;
  tell({ what: "rotated", vault: account.vault.vault });
  vault.sync();
  for (const { wrap, credential } of ways) {
    const goes = wrap ? !kept.includes(wrap.id) : credential && isCode(credential);
    if (goes && credential) await api.removeCredential(credential.id);
  }
}

async function addCode(): Promise<string> {
  await fresh();
  const { wrap } = await ask("rotate.make", {});
  const { challenge_id, nonce } = await api.challenge({ purpose: "add", method: "key" });
  const asked = { challenge: challenge_id, purpose: "add", origin: window.location.origin, nonce: nonce ?? "" };
  const proof = await ask("rotate.prove", asked);
  return (await api.addCredential({ challenge_id, proof, name: nameOfCode(wrap) })).id;
}
