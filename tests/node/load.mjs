// Many requests at once with the global fetch, errors of every kind among them: `load.py` in Node.
//
// `node load.mjs NAME` asks $URL with what $SYMREF_UPSTREAM says. It makes each kind of request once,
// says `began`, and goes on until the file NAME.echoes is there; then it asks for echoes of the
// credential alone, says `echoes` after one of each, and ends when NAME.stop is there, with a line of
// JSON: how often each kind came to what. All that came back is in NAME.transcript.

import { appendFileSync, existsSync } from "node:fs";

const [name] = process.argv.slice(2);
const { URL: base, SYMREF_UPSTREAM: key, MARKER: marker } = process.env;
const bearer = { authorization: `Bearer ${key}` };

const calls = {
  get: ["/v1/notes/0", {}],
  search: [`/v1/search?q=none-${marker}`, {}],
  create: ["/v1/notes", { method: "POST", body: JSON.stringify({ text: marker }) }],
  missing: ["/v1/notes/999999", {}],
  denied: ["/status/401", {}],
  failed: ["/status/500", {}],
  reset: ["/close", {}],
  unknown: ["/nowhere", {}],
  bare: ["/v1/account", { headers: {} }],
  elsewhere: ["/v1/account", { headers: { ...bearer, "x-api-key": key } }],
  gone: ["/hang", { timeout: 200 }],
};
const echoes = {
  echo: ["/echo", {}],
  base64: ["/echo/base64", {}],
  header: ["/echo/header", {}],
};

const counts = {};
async function ask(kind, [path, { method, body, headers = bearer, timeout = 20000 }]) {
  const type = body ? { "content-type": "application/json" } : {};
  const signal = AbortSignal.timeout(timeout);
  const options = { method, body, headers: { ...headers, ...type }, signal };
  let came;
  try {
    const answer = await fetch(base + path, options);
    const text = await answer.text();
    came = answer.status;
    appendFileSync(`${name}.transcript`, `${JSON.stringify([...answer.headers])} ${text}\n`);
  } catch (error) {
    came = error.name === "TimeoutError" ? "gone" : "error";
  }
  const line = `${kind} ${came}`;
  counts[line] = (counts[line] ?? 0) + 1;
}

/** Sixteen at once, until `over` says so, and each kind once at least. */
async function all(kinds, over) {
  const list = Object.entries(kinds);
  let next = 0;
  const one = async () => {
    while (next < list.length || !over()) await ask(...list[next++ % list.length]);
  };
  await Promise.all(Array.from({ length: 16 }, one));
}

await all(calls, () => true);
console.log("began");
await all(calls, () => existsSync(`${name}.echoes`));
await all(echoes, () => true);
console.log("echoes");
await all(echoes, () => existsSync(`${name}.stop`));
console.log(JSON.stringify(counts));
