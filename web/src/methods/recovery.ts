/** The recovery code: 24 words on paper, which sign in by a key of their own and open the vault. */
import * as api from "../api/account";
import { ask } from "../worker/core";
import type { Bytes } from "./bytes";
import type { Method } from "./method";

/** `words` are taken. Without any it is the code that the Worker has at hand, which is new. */
export function recovery(words: Bytes | undefined): Method {
  return {
    name: "Recovery code",
    async prove(purpose) {
      if (words) await ask("custody.bring", { method: "recovery", words: words.buffer });
      const { challenge_id, nonce } = await api.challenge({ purpose, method: "key" });
      const proof = await ask("custody.key-proof", { challenge: challenge_id, purpose, origin: window.location.origin, nonce: nonce ?? "" });
      return { challenge_id, proof };
    },
    async bring() {
      // It is at hand since it was proved.
    },
  };
}
