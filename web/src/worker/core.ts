/** The page's side of the Worker, which is started when it is first asked something. */
import type { Kind, Refused, Reply, Requests } from "./protocol";
import { start } from "./started";

/** What the core refused, in a pair: what went wrong, and what to do next. */
export class CoreError extends Error {
  override name = "CoreError";
  readonly code: string;
  readonly next: string | undefined;
  constructor({ code, message, next }: Refused) {
    super(message);
    this.code = code;
    this.next = next;
  }
}

type Waiting = { resolve: (value: never) => void; reject: (error: Error) => void; progress: ((done: number) => void) | undefined };

const waiting = new Map<number, Waiting>();
let worker: Worker | undefined;
let last = 0;

function started(): Worker {
  if (worker) return worker;
  worker = start("core");
  worker.onmessage = ({ data }: MessageEvent<Reply>) => {
    const asked = waiting.get(data.id);
    if ("progress" in data) return asked?.progress?.(data.progress);
    waiting.delete(data.id);
    if ("error" in data) asked?.reject(new CoreError(data.error));
    else asked?.resolve(data.value as never);
  };
  worker.onerror = () => end("The page's core stopped.");
  return worker;
}

/** Ends the Worker with all that is in its memory. It starts anew when it is next asked. */
export function end(why = "The vault was locked."): void {
  worker?.terminate();
  worker = undefined;
  for (const asked of waiting.values()) asked.reject(new CoreError({ code: "ended", message: why }));
  waiting.clear();
}

/** Asks the Worker. Buffers and ports of the body, in lists too, are its own afterwards. */
export function ask<K extends Kind>(kind: K, body: Requests[K]["ask"], progress?: (done: number) => void): Promise<Requests[K]["answer"]> {
  const id = ++last;
  const moved = Object.values(body).flat().filter((value) => value instanceof ArrayBuffer || value instanceof MessagePort);
  return new Promise((resolve, reject) => {
    waiting.set(id, { resolve, reject, progress });
    started().postMessage({ id, kind, ...body }, moved);
  });
}
