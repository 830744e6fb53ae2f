/** A broker's home, in the Worker: what a passkey gave becomes the key of one way, sealed for this page's origin. */
import { fromBase64Url, fromHex, toBase64Url } from "../methods/bytes";
import { answerTap } from "./core/symbolon_page_core.js";
import type { HomeRequests } from "./home.protocol";
import type { Ask } from "./protocol";

type HomeAsk = Extract<Ask, { kind: keyof HomeRequests }>;

export function isHome(ask: Ask): ask is HomeAsk {
  return ask.kind.startsWith("home.");
}

export function home(ask: HomeAsk): string {
  const [key, nonce, salt] = [ask.key, ask.nonce, ask.salt].map(fromBase64Url) as [Uint8Array, Uint8Array, Uint8Array];
  const credential = new Uint8Array(ask.credential);
  return toBase64Url(answerTap(ask.adds, self.location.origin, fromHex(ask.vault), key, nonce, ask.expires, credential, salt, new Uint8Array(ask.prf)));
}
