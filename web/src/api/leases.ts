/** Unlock leases (`specs/lease.md`). */
import type { LeasePurpose } from "../worker/lease.protocol";
import { ask as askWorker } from "../worker/core";
import { ask, askJson } from "./account";
import type { Narrow, Schemas } from "./types";

export type Lease = Narrow<Schemas["LeaseRow"], { purposes: LeasePurpose[] }>;

/** With the moment at which it ends by this browser's clock. */
export type LiveLease = Lease & { ends: string };

const live = (lease: Lease): LiveLease => ({ ...lease, ends: new Date(Date.now() + lease.left_ms).toISOString() });

export const leases = async () => (await askJson<{ leases: Lease[] }>("/api/vault/leases")).leases.map(live);

/** Lends the vault's key. The session was confirmed before, and the vault is open. */
export async function lend(purposes: LeasePurpose[], minutes: number): Promise<LiveLease> {
  const asked = await (await ask("/api/vault/lease-key")).text();
  const sealed = await askWorker("lease.seal", { asked, purposes, minutes });
  return live(await askJson<Lease>("/api/vault/leases", { method: "POST", json: sealed }));
}

export const endLease = (id: string) => ask(`/api/vault/leases/${id}`, { method: "DELETE" });
