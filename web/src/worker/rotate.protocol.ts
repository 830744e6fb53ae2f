/** What the page may ask of the Worker to give the vault another data key. */
import type { VaultOverview } from "./account.protocol";

export type RotateRequests = {
  /** Begins, with a new recovery code. What was gathered before is forgotten. */
  "rotate.begin": { ask: object; answer: null };
  /** Keeps the way at hand, which has to open the vault as it is; gives its wrap. */
  "rotate.keep": { ask: object; answer: string };
  /** The words of the new recovery code, to be written down. */
  "rotate.code": { ask: object; answer: { phrase: string } };
  /** The proof by which the new recovery code will sign in. */
  "rotate.prove": { ask: { challenge: string; purpose: string; origin: string; nonce: string }; answer: unknown };
  /** Makes the new key and its wraps; gives the wrap of the recovery code. */
  "rotate.make": { ask: object; answer: { wrap: string } };
  /** Puts it in place. `unheard` where it is not known whether the server took it: asked again, it finds out. */
  "rotate.send": { ask: { csrf: string }; answer: VaultOverview };
  "rotate.end": { ask: object; answer: null };
};
