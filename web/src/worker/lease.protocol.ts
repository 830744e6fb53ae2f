/** What the page may ask of the Worker about unlock leases. */

export type LeasePurpose = "notes" | "connections";

export type LeaseRequests = {
  /** What `POST /api/vault/leases` takes: the data key, sealed to the process that asked, on these terms. */
  "lease.seal": { ask: { asked: string; purposes: LeasePurpose[]; minutes: number }; answer: unknown };
};
