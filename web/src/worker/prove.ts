/** The page's side of the prover's Workers: of their own, so that they can be ended while they compute. */
import { CoreError } from "./core";
import type { Help, Phase, Pool, ProveKind, ProveReply, ProveRequests } from "./prove.protocol";
import { start } from "./started";

type Waiting = { resolve: (value: never) => void; reject: (error: Error) => void; phase: ((phase: Phase) => void) | undefined };

export class Prover {
  #worker: Worker | undefined;
  #helpers: Worker[] = [];
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

  /** Ends the Workers with all that is in their memory, also in the middle of a proof. */
  end(why = "The proof was cancelled."): void {
    for (const worker of [this.#worker, ...this.#helpers]) worker?.terminate();
    [this.#worker, this.#helpers] = [undefined, []];
    for (const asked of this.#waiting.values()) asked.reject(new CoreError({ code: "cancelled", message: why }));
    this.#waiting.clear();
  }

  #started(): Worker {
    if (this.#worker) return this.#worker;
    const worker = start("prove");
    worker.onmessage = ({ data }: MessageEvent<ProveReply>) => {
      const asked = this.#waiting.get(data.id);
      if ("phase" in data) return asked?.phase?.(data.phase);
      if ("pool" in data) return this.#help(data.pool);
      this.#waiting.delete(data.id);
      if ("error" in data) asked?.reject(new CoreError(data.error));
      else asked?.resolve(data.value as never);
    };
    worker.onerror = () => this.#stopped();
    this.#worker = worker;
    return worker;
  }

  #help({ helpers, module, memory }: Pool): void {
    for (let nth = 0; nth < helpers; nth++) {
      const helper = start("prove");
      helper.onerror = () => this.#stopped();
      helper.postMessage({ kind: "help", module, memory } satisfies Help);
      this.#helpers.push(helper);
    }
  }

  /** A panic, or a browser that gave it no more memory. What one of them had begun, the others would wait for for ever. */
  #stopped(): void {
    this.end("The prover stopped: this device may have too little memory.");
  }
}
