// Measures proofs in the system's Chromium: `node drive.mjs MODULE PACKAGES [--runs N] [--threads 1,2] [--case NAME,…]`, one JSON object a row.
import { readFile } from "node:fs/promises";
import { createServer } from "node:http";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";

const { values, positionals: [modules, packages] } = parseArgs({
  allowPositionals: true,
  options: { runs: { type: "string", default: "5" }, threads: { type: "string", default: "1,2" }, case: { type: "string" } },
});
const { chromium } = createRequire(join(packages, "x"))("playwright-core");

const here = dirname(fileURLToPath(import.meta.url));
const FILES = {
  "/": ["text/html", "<!doctype html><title>proofs</title><script type=module src=/page.mjs></script>"],
  "/page.mjs": ["text/javascript", await readFile(join(here, "page.mjs"))],
  "/worker.mjs": ["text/javascript", await readFile(join(here, "worker.mjs"))],
  "/module/symbolon_bench_browser.js": ["text/javascript", await readFile(join(modules, "symbolon_bench_browser.js"))],
  "/module/symbolon_bench_browser_bg.wasm": ["application/wasm", await readFile(join(modules, "symbolon_bench_browser_bg.wasm"))],
};
const server = createServer((request, response) => {
  const [type, body] = FILES[request.url] ?? [];
  response.writeHead(body ? 200 : 404, {
    "content-type": type ?? "text/plain",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-embedder-policy": "require-corp",
  });
  response.end(body);
});
await new Promise((listening) => server.listen(0, "127.0.0.1", listening));

const browser = await chromium.launch({
  executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium",
  args: ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-component-update"],
});
try {
  for (const threads of values.threads.split(",").map(Number)) {
    const page = await browser.newPage();
    await page.exposeFunction("said", (row) => console.log(row));
    await page.goto(`http://127.0.0.1:${server.address().port}/`);
    await page.waitForFunction(() => globalThis.measure);
    const only = values.case?.split(",");
    await page.evaluate(([threads, runs, only]) => globalThis.measure(threads, runs, only), [threads, Number(values.runs), only]);
    await page.close();
  }
} finally {
  await browser.close();
  server.close();
}
