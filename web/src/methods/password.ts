/** A password that no server sees: OPAQUE (`specs/opaque.md`). */
import * as api from "../api/account";
import { pinServer, pinnedServer } from "../lib/pin";
import { ask } from "../worker/core";
import type { Method } from "./method";

/** `password` is taken: its bytes are the Worker's afterwards. Without a handle it is that of who is signed in. */
export function password(handle: string | undefined, password: Uint8Array<ArrayBuffer>): Method {
  return {
    name: "Password",
    async prove(purpose) {
      const isNew = purpose === "sign-up" || purpose === "add";
      const { request } = await ask("account.password", { password: password.buffer, isNew });
      const asked = await api.challenge({ purpose, method: "password", ...(handle && { handle }), opaque: { request } });
      if (!asked.opaque) throw new Error("The server did not answer the password.");
      const { response, server_key: serverKey } = asked.opaque;
      const { proof } = await ask("account.password.finish", { response, serverKey, pinned: pinnedServer() });
      pinServer(serverKey);
      return { challenge_id: asked.challenge_id, proof };
    },
    async bring() {
      // It is at hand since it was proved.
    },
  };
}
