/** Taking in what the server has and sending what waits, until neither is left. */
import type { Vault } from "../core/symbolon_page_core.js";
import { codeOf, Refused, type Server } from "./http";
import type { State, Synced } from "./types";

type Applied = Pick<Synced, "changed" | "conflicts">;

/** `keep` is called before something is sent: what came through unseen is told by what was kept. */
export async function sync(vault: Vault, server: Server, keep: () => Promise<unknown>): Promise<Omit<Synced, "old">> {
  const done: Omit<Synced, "old"> = { changed: [], conflicts: [], sent: 0, pending: 0 };
  for (let round = 0; round < ROUNDS_MAX; round++) {
    const applied = await fetched(vault, server);
    done.changed.push(...applied.changed);
    done.conflicts.push(...applied.conflicts);
    if (await sent(vault, server, keep, done)) {
      done.pending = (JSON.parse(vault.state()) as State).pending;
      return done;
    }
  }
  throw new Refused("busy", "The vault was changed elsewhere at each try.", "It is tried again by itself.", 409);
}

async function fetched(vault: Vault, server: Server): Promise<Applied> {
  for (let tries = 0; ; tries++) {
    try {
      let after = vault.begin_changes();
      for (;;) {
        const page = await server.text("GET", `/api/vault/changes?after=${after}&limit=1000`);
        const told = JSON.parse(vault.changes(page)) as { next: number } | Applied;
        if (!("next" in told)) return told;
        after = told.next;
      }
    } catch (error) {
      // A commit between two pages takes revisions away that the first head names.
      if (codeOf(error) !== "root" || tries >= ROUNDS_MAX) throw error;
    }
  }
}

/** Sends commit after commit; `false` where somebody else's came first. */
async function sent(vault: Vault, server: Server, keep: () => Promise<unknown>, done: Pick<Synced, "sent">): Promise<boolean> {
  for (;;) {
    const commit = vault.commit();
    if (commit === undefined) return true;
    await keep();
    try {
      await server.text("POST", "/api/vault/commit", commit);
    } catch (error) {
      if (codeOf(error) === "conflict") return false;
      throw error;
    }
    done.sent += vault.accepted();
  }
}

const ROUNDS_MAX = 8;
