/** A receipt's check, in the Worker. */
import { ask } from "../worker/core";
import type { Verdict } from "../worker/protocol";

/** Verifies a copy of the bytes, which the Worker takes; the caller keeps its own. */
export function verify(bundle: ArrayBuffer, key: string): Promise<Verdict> {
  return ask("verify", { bundle: bundle.slice(0), key });
}
