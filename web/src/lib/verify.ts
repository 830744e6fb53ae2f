/** The check of a receipt or a certificate, in the Worker. */
import { ask } from "../worker/core";
import type { Verdict } from "../worker/protocol";

/** What a file is held against: the operator's key, its `operator.succession` and a certificate's text, where there are any. */
export type Against = { key: string; succession?: ArrayBuffer | undefined; text?: ArrayBuffer | undefined };

/** Verifies copies of the bytes, which the Worker takes; the caller keeps its own. */
export function verify(file: ArrayBuffer, { key, succession, text }: Against): Promise<Verdict> {
  return ask("verify", { file: file.slice(0), key, succession: succession?.slice(0), text: text?.slice(0) });
}

/** Whether the operator's key in `kept` gave way to the one in `now`, as its `operator.succession` says. */
export function gaveWay(kept: string, now: string, succession: string): Promise<boolean> {
  return ask("gave_way", { kept, now, succession });
}
