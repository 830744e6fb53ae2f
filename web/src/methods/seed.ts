/** A seed phrase (BIP-39): the Ethereum wallet that it is for signs in and opens, without the wallet. */
import * as api from "../api/account";
import { ask } from "../worker/core";
import type { Bytes } from "./bytes";
import type { Method } from "./method";

/** Both are taken: their bytes are the Worker's afterwards. */
export function seed(handle: string | undefined, words: Bytes, passphrase: Bytes): Method {
  return {
    name: "Seed phrase",
    async prove(purpose) {
      const origin = window.location.origin;
      const brought = { method: "seed", origin, words: words.buffer, passphrase: passphrase.buffer } as const;
      const { address } = await ask("custody.bring", brought);
      if (!address) throw new Error("the seed has no address");
      const asked = await api.challenge({ purpose, method: "ethereum", address, ...(handle && { handle }) });
      const signature = await ask("custody.sign-in", { message: asked.message ?? "" });
      return { challenge_id: asked.challenge_id, proof: { signature } };
    },
    async bring() {
      // It is at hand since it was proved.
    },
  };
}
