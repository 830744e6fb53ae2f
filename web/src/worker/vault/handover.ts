/** A rotation at the server: wraps, ring and the handover to the new head key in one change, taken or not. */
import type { Change, Opened, Vault } from "../core/symbolon_page_core.js";
import { codeOf, Refused, type Server } from "./http";

type View = { keys_version: number; wraps: { id: string }[] };

/** Sends it. `exchange` takes in what came before: the handover is made on the vault's latest head. */
export async function put(vault: Vault, server: Server, opened: Opened, change: Change, exchange: () => Promise<unknown>): Promise<void> {
  const wanted = idsOf(JSON.parse(change.body(0)) as View);
  for (let round = 0; ; round++) {
    const view = JSON.parse(await server.text("GET", "/api/vault")) as View;
    // An answer that was not heard: what was sent came through.
    if (idsOf(view) === wanted) return;
    const known = JSON.parse(opened.overview()) as View;
    if (idsOf(view) !== idsOf(known)) throw changed();
    await exchange();
    const commit: unknown = JSON.parse(vault.hand_over(opened, change));
    const body = { ...(JSON.parse(change.body(view.keys_version)) as object), commit };
    try {
      await server.text("PUT", "/api/vault/wraps", JSON.stringify(body));
      return;
    } catch (error) {
      if (error instanceof Refused && (error.status === 0 || error.status >= 500)) throw unheard();
      if (codeOf(error) !== "conflict" || round >= ROUNDS_MAX) throw error;
    }
  }
}

const idsOf = ({ wraps }: View) => wraps.map(({ id }) => id).sort().join(" ");

const unheard = () => new Refused("unheard", "The server did not answer: the vault's key may be changed, or not.", "Try again; where it was changed, that is seen then.", 0);
const changed = () => new Refused("changed", "What opens the vault was changed on another device meanwhile. Nothing was changed here.", "Begin again.", 409);

const ROUNDS_MAX = 8;
