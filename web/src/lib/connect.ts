/** A connection in the vault: tried by the broker, sealed by the Worker (`specs/lease.md`). */
import { leases } from "../api/leases";
import * as api from "../api/owner";
import type { NewConnection } from "../api/types";
import { MethodError } from "../methods/method";
import { blank, vault } from "./vault.svelte";

/** Puts it into the vault and gives its name. Where the vault, or the broker itself, has one of that name nothing is kept. */
export async function keep(made: NewConnection, credential: string): Promise<string> {
  const { connection, scheme } = await api.tryConnection(made, credential);
  const [{ rows }, own] = await Promise.all([
    vault.ask("list", { kinds: ["connection"], within: null, tag: null, trashed: false, query: "", max: NAMES_MAX }),
    api.connections(),
  ]);
  const { name } = connection;
  const where = rows.some(({ title }) => title === name) ? "Your vault" : own.some((one) => one.name === name && !one.lent) ? "This broker" : undefined;
  if (where) throw new MethodError("unusable", `${where} has a connection named ${name} already.`, "Give this one another name, under More.");
  const contents = { connection: [made.service, made.base_url ?? "", scheme] } satisfies ReturnType<typeof blank>["contents"];
  await vault.save(null, null, blank(contents, name), [credential]);
  vault.sync();
  return name;
}

/** Whether the vault's connections are lent now. */
export const isLent = async () => (await leases()).some(({ purposes }) => purposes.includes("connections"));

/** As many as a broker takes of one vault. */
const NAMES_MAX = 256;
