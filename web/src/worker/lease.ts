/** Unlock leases, in the Worker: the key is sealed here, for this page's origin alone. */
import type { LeaseRequests } from "./lease.protocol";
import { opened } from "./opened";
import type { Ask } from "./protocol";

type LeaseAsk = Extract<Ask, { kind: keyof LeaseRequests }>;

export function isLease(ask: Ask): ask is LeaseAsk {
  return ask.kind.startsWith("lease.");
}

export function lease(ask: LeaseAsk): unknown {
  return JSON.parse(opened().lend(ask.asked, self.location.origin, ask.purposes.join(" "), ask.minutes));
}
