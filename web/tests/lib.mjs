// What every browser test uses: the system's Chromium, a page that notes whatever goes wrong, axe, pictures.
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { mkdirSync, readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";
import { chromium } from "playwright-core";

export const BASE = process.env.BASE;
const SHOTS = process.env.SHOTS;
const AXE = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");

/** Runs the product's command line on the home that is served, and gives what it printed. */
export const symbolon = (...words) =>
  execFileSync(process.env.SYMBOLON, words, { encoding: "utf8", stdio: ["ignore", "pipe", "pipe"] }).trim();

/** A request of an agent over HTTP. */
export async function call(tool, args = {}, key = process.env.AGENT_KEY) {
  const response = await fetch(`${BASE}/api/call`, {
    method: "POST",
    headers: { authorization: `Bearer ${key}`, "content-type": "application/json" },
    body: JSON.stringify({ tool, arguments: args }),
  });
  return { status: response.status, ...(await response.json()) };
}

export const browser = await chromium.launch({
  executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium",
  headless: true,
  args: [
    "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
    "--disable-background-networking", "--disable-component-update", "--disable-sync",
  ],
});

const DESK = { width: 1280, height: 860 };
const HAND = { width: 390, height: 844 };

/** A browser of its own, and a page that notes violations, errors and requests. */
export async function open({ scheme = "light", size = DESK, state } = {}) {
  const context = await browser.newContext({ viewport: size, colorScheme: scheme, reducedMotion: "reduce", storageState: state });
  const page = await context.newPage();
  const seen = { problems: [], requests: [] };
  page.on("console", (message) => {
    // What the network says is looked at by the test that asks for it.
    const isNetwork = message.text().startsWith("Failed to load resource");
    if (["error", "warning"].includes(message.type()) && !isNetwork) seen.problems.push(message.text());
  });
  page.on("pageerror", (error) => seen.problems.push(String(error)));
  context.on("request", (request) => seen.requests.push(request));
  await page.addInitScript(() => {
    addEventListener("securitypolicyviolation", (event) =>
      console.error(`policy: ${event.violatedDirective} ${event.blockedURI} ${event.sample}`));
  });
  page.setDefaultTimeout(15_000);
  return { context, page, seen };
}

/** The same, as the owner, by a link. */
export async function enter(options) {
  const opened = await open(options);
  // By the name that the test uses: a server with accounts has one origin, and sends others there.
  await opened.page.goto(`${BASE}/${new URL(symbolon("page")).hash}`);
  await opened.page.getByRole("navigation", { name: "Views" }).waitFor();
  return opened;
}

export async function go(page, path, heading) {
  await page.goto(`${BASE}${path}`);
  await page.getByRole("heading", { level: 1, name: heading }).waitFor();
}

/** A list has so many rows, or comes to have them. */
export async function counted(rows, wanted) {
  if (wanted > 0) await rows.nth(wanted - 1).waitFor();
  await rows.nth(wanted).waitFor({ state: "detached" });
}

/** No violation that axe knows of. */
export async function accessible(page, where) {
  await settled(page);
  // Evaluated over the debugger's protocol, which the page's policy does not govern; axe itself needs no `eval`.
  await page.evaluate(AXE);
  const { violations, passes } = await page.evaluate(() => globalThis.axe.run(document, { resultTypes: ["violations"] }));
  const found = violations.map((one) => `${one.id}: ${one.nodes.map((node) => `${node.html} ${node.failureSummary}`).join("\n  ")}`);
  assert.deepEqual(found, [], where);
  assert.ok(passes.length > 10, `axe looked at ${passes.length} rules only on ${where}`);
}

async function settled(page) {
  // Contrast is measured on what is painted: a fade that still runs is a false finding.
  await page.evaluate(() => Promise.all(document.getAnimations().filter((one) => one.effect?.getTiming().iterations === 1).map((one) => one.finished)));
}

/** Pictures in light and dark, wide and narrow, each without a violation. */
export async function shown(page, name) {
  for (const scheme of ["light", "dark"]) {
    await page.emulateMedia({ colorScheme: scheme, reducedMotion: "reduce" });
    for (const [kind, size] of [["wide", DESK], ["narrow", HAND]]) {
      await page.setViewportSize(size);
      await accessible(page, `${name}, ${scheme}, ${kind}`);
      const wider = await page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
      assert.ok(wider <= 0, `${name} is ${wider} px wider than a ${kind} screen`);
      if (SHOTS) {
        mkdirSync(SHOTS, { recursive: true });
        await page.screenshot({ path: join(SHOTS, `${name}-${scheme}-${kind}.png`) });
      }
    }
  }
  await page.setViewportSize(DESK);
  await page.emulateMedia({ colorScheme: "light", reducedMotion: "reduce" });
}

/** Ends it: nothing went wrong, and nobody but this origin was asked for anything; `also` is another that the test serves. */
export async function close({ context, seen }, also = BASE) {
  const isOurs = (url) => [BASE, also].some((origin) => url.startsWith(`${origin}/`)) || /^(data|blob):/.test(url);
  const elsewhere = seen.requests.map((one) => one.url()).filter((url) => !isOurs(url));
  assert.deepEqual(elsewhere, [], "requests to somebody else");
  assert.deepEqual(seen.problems, [], "errors, warnings and violations of the policy");
  await context.close();
}

/** Runs tests one after another and says which. */
export async function run(tests) {
  try {
    for (const [name, test] of Object.entries(tests)) {
      const began = Date.now();
      await test();
      console.log(`ok ${name} (${Date.now() - began} ms)`);
    }
  } finally {
    await browser.close();
  }
}
