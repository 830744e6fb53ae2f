/** The page's side of the prover's Worker: one of its own, so that it can be ended while it computes. */
import { CoreError } from "./core";
import type { Phase, ProveKind, ProveReply, ProveRequests } from "./prove.protocol";
import { start } from "./started";

type Waiting = { resolve: (value: never) => void; reject: (error: Error) => void; phase: ((phase: Phase) => void) | undefined };

export class Prover {
  #worker: Worker | undefined;
  #waiting = new Map<number, Waiting>();
  #last = 0;

  /** Asks the Worker, which is started when it is first asked. Buffers and ports are its own afterwards. */
  ask<K extends ProveKind>(kind: K, body: ProveRequests[K]["ask"], phase?: (phase: Phase) => void): Promise<ProveRequests[K]["answer"]> {
    const id = ++this.#last;
    const moved = Object.values(body).filter((value) => value instanceof ArrayBuffer || value instanceof MessagePort);
    return new Promise((resolve, reject) => {
      this.#waiting.set(id, { resolve, reject, phase });
      this.#started().postMessage({ id, kind, ...body }, moved);
    });
  }

  /** Ends the Worker with all that is in its memory, also in the middle of a proof. */
  end(why = "The proof was cancelled."): void {
    this.#worker?.terminate();
    this.#worker = undefined;
    for (const asked of this.#waiting.values()) asked.reject(new CoreError({ code: "cancelled", message: why }));
    this.#waiting.clear();
  }

  #started(): Worker {
    if (this.#worker) return this.#worker;
    const worker = start("prove");
    worker.onmessage = ({ data }: MessageEvent<ProveReply>) => {
      const asked = this.#waiting.get(data.id);
      if ("phase" in data) return asked?.phase?.(data.phase);
      this.#waiting.delete(data.id);
      if ("error" in data) asked?.reject(new CoreError(data.error));
      else asked?.resolve(data.value as never);
    };
    // A panic, or a browser that gave it no more memory.
    worker.onerror = () => this.end("The prover stopped: this device may have too little memory.");
    this.#worker = worker;
    return worker;
  }
}
