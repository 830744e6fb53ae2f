/** The Workers that make one proof: the prover's own, which is the first, and helpers over its memory. They are the page's
 * (`prove.ts`): while the prover computes, nothing reaches it, and somebody has to hear that a helper stopped. */
import init, { help, openPool } from "./core/symbolon_page_prove.js";
import url from "./core/symbolon_page_prove_bg.wasm?url";
import type { Help, Pool } from "./prove.protocol";

/** More would wait for one another. */
const THREADS_MAX = 4;

let module: WebAssembly.Module;
let memory: WebAssembly.Memory;

/** Loads the module, with a memory that could be shared. */
export async function load(): Promise<void> {
  module = await WebAssembly.compileStreaming(fetch(url));
  ({ memory } = await init({ module_or_path: module }));
}

/** As many as work on a proof here. Memory goes to another Worker only where the page is isolated from other origins. */
export const threads = self.crossOriginIsolated ? Math.min(navigator.hardwareConcurrency || 1, THREADS_MAX) : 1;

/** Opens the pool. Gives what helpers are started with; nothing where this Worker proves alone, or has its helpers. */
export function open(): Pool | undefined {
  const helpers = threads > 1 ? openPool(threads) : 0;
  return helpers > 0 ? { helpers, module, memory } : undefined;
}

/** What a helper's Worker does. One that cannot load is missed by nobody; one that stops in the middle ends the proof. */
export async function join({ module, memory }: Help): Promise<void> {
  try {
    await init({ module_or_path: module, memory });
  } catch {
    return self.close();
  }
  try {
    help();
  } catch (error) {
    self.reportError(error);
  }
}
