/** The check of a receipt or a certificate, in the Worker. */
import { ask } from "../worker/core";
import type { Verdict } from "../worker/protocol";

/** Verifies copies of the bytes, which the Worker takes; the caller keeps its own. */
export function verify(file: ArrayBuffer, key: string, text?: ArrayBuffer): Promise<Verdict> {
  return ask("verify", { file: file.slice(0), key, text: text?.slice(0) });
}
