/// <reference lib="webworker" />
/** The prover. What it holds is in its own memory, and goes with it. */
import { Holding, look, measure, Prover } from "./core/symbolon_page_prove.js";
import * as stored from "./prove.key";
import * as pool from "./prove.pool";
import type { Handed, Help, Phase, ProveAsk, ProveReply, Proven, Weighed } from "./prove.protocol";
import type { Refused } from "./protocol";

let loaded: Promise<unknown> | undefined;
/** Whose claims are at hand. */
let holding: Holding | undefined;
/** One at a time: a second question waits until the first proof is made. */
let queue: Promise<unknown> = Promise.resolve();

self.onmessage = ({ data }: MessageEvent<ProveAsk | Help>) => {
  if (data.kind === "help") return void pool.join(data);
  queue = queue.then(() => reply(data));
};

async function reply(ask: ProveAsk): Promise<void> {
  const say = (said: ProveReply) => self.postMessage(said);
  try {
    loaded ??= pool.load();
    await loaded;
    if (ask.kind === "prove") {
      const wanted = pool.open();
      if (wanted) say({ id: ask.id, pool: wanted });
    }
    say({ id: ask.id, value: await answer(ask, (phase) => say({ id: ask.id, phase })) });
  } catch (error) {
    say({ id: ask.id, error: refused(error) });
  } finally {
    for (const value of Object.values(ask)) if (value instanceof ArrayBuffer) new Uint8Array(value).fill(0);
  }
}

async function answer(ask: ProveAsk, begins: (phase: Phase) => void): Promise<unknown> {
  switch (ask.kind) {
    case "look":
      return JSON.parse(look(ask.request));
    case "weigh":
      return weigh();
    case "demo": {
      const [birth, nationality, number, expiry] = [ask.birth, ask.nationality, ask.number, ask.expiry].map((typed) => new Uint8Array(typed)) as [Uint8Array, Uint8Array, Uint8Array, Uint8Array];
      return hold(Holding.demo(birth, nationality, number, expiry, new Date().toISOString().slice(0, 10)));
    }
    case "hold": {
      const record = await received(ask.from);
      try {
        return hold(Holding.read(record));
      } finally {
        record.fill(0);
      }
    }
    case "prove":
      return prove(ask.request, begins);
  }
}

function hold(next: Holding): unknown {
  holding?.free();
  holding = next;
  return JSON.parse(next.about());
}

/** The holder's record, from the core's Worker: it passes no other thread. */
function received(from: MessagePort): Promise<Uint8Array> {
  return new Promise((resolve, reject) => {
    from.onmessage = ({ data }: MessageEvent<Handed>) => {
      from.close();
      if ("error" in data) reject(JSON.stringify(data.error));
      else resolve(new Uint8Array(data.record));
    };
  });
}

/** A key first: read where this browser has it, made where not. What is stored is held against its pinned hash each time. */
async function prove(request: string, begins: (phase: Phase) => void): Promise<Proven> {
  if (!holding) throw JSON.stringify({ code: "claims", message: "There are no claims to prove it by.", next: "Choose some." });
  // Before seconds are spent on a key: what does not hold is said now.
  holding.check(request);
  const began = performance.now();
  const prover = (await readKey(begins)) ?? (await makeKey(begins));
  const keyed = performance.now();
  try {
    begins("prove");
    const presentation = new TextDecoder().decode(prover.prove(request, holding, Date.now()));
    return { presentation, verifying_key: Prover.verifyingKey(), key_ms: keyed - began, proof_ms: performance.now() - keyed, threads: pool.threads };
  } finally {
    prover.free();
  }
}

async function readKey(begins: (phase: Phase) => void): Promise<Prover | undefined> {
  const bytes = await stored.read(Prover.keyName());
  if (!bytes) return undefined;
  begins("read-key");
  try {
    return Prover.read(bytes);
  } catch {
    // Damaged, or of another version: it is made again.
    return undefined;
  }
}

async function makeKey(begins: (phase: Phase) => void): Promise<Prover> {
  begins("make-key");
  const prover = Prover.make();
  await stored.write(Prover.keyName(), prover.write() as Uint8Array<ArrayBuffer>);
  return prover;
}

/** Foretells how long it takes by work of the prover's kind, and looks whether there is memory for it. */
async function weigh(): Promise<Weighed> {
  let quickest = Infinity;
  for (let round = 0; round < ROUNDS; round++) {
    const began = performance.now();
    measure(HASHES);
    quickest = Math.min(quickest, performance.now() - began);
  }
  const isKept = (await stored.read(Prover.keyName())) !== undefined;
  const shared = quickest / (1 + HELPER * (pool.threads - 1));
  const weighed = { "make-key": shared * MAKE_KEY, "read-key": quickest * READ_KEY, prove: shared * PROVE, isKept };
  const all = weighed[isKept ? "read-key" : "make-key"] + weighed.prove;
  if (all > LONGEST_MS) {
    throw JSON.stringify({ code: "too_slow", message: `This device would need about ${Math.round(all / 1000)} seconds for a proof.`, next: "Prove on another device: symbolon prove age" });
  }
  try {
    // Asked for and given back: who has it not is told before anything begins.
    new WebAssembly.Memory({ initial: MEMORY_PAGES });
  } catch {
    throw JSON.stringify({ code: "memory", message: "This device has too little memory left for a proof.", next: "Close other tabs, or prove on another device: symbolon prove age" });
  }
  return weighed;
}

/** The module throws JSON, and so does this Worker; whatever else is thrown is a fault of the page. */
function refused(error: unknown): Refused {
  if (typeof error === "string") return JSON.parse(error) as Refused;
  return { code: "prover", message: error instanceof Error ? error.message : String(error) };
}

/** Short ones, of which the quickest counts: other programs are not what is measured. */
const ROUNDS = 10;
const HASHES = 20;
/** How many times as long as so many hashes each takes on one thread (`cargo xtask bench --browser`). */
const MAKE_KEY = 1000;
const READ_KEY = 45;
const PROVE = 500;
/** What a thread more adds to the first: parts of the work are done by one. */
const HELPER = 0.5;
const LONGEST_MS = 60_000;
/** Of 64 KiB: three times of what the module comes to. */
const MEMORY_PAGES = 1024;
