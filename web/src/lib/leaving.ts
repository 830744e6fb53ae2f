/** What this browser keeps of a vault whose account is deleted. The mark is written before the server is asked, so that
 * a page which never heard the answer finds out, when it is next opened, what came of it. */
import { forget as forgetCopy } from "../worker/vault/kept";

const MARK = "symbolon.leaving";

/** The vault whose account is being deleted. */
export const leaving = () => localStorage.getItem(MARK) ?? undefined;

export const beginLeaving = (vault: string) => localStorage.setItem(MARK, vault);

/** The account is still there. */
export const giveUpLeaving = () => localStorage.removeItem(MARK);

/** Forgets the sealed copy, and what was set for the vault. What protects whoever comes next stays: the keys of this
 * server that the browser saw first. */
export async function forgetVault(vault: string): Promise<void> {
  for (const key of Object.keys(localStorage)) if (/^symbolon\.(?:lock-minutes$|took\.)/.test(key)) localStorage.removeItem(key);
  await forgetCopy(vault);
  giveUpLeaving();
}
