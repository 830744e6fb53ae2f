// Prints how fast a vault of 10,000 notes is in Chromium: opening, lists, searches, a sync of 1,000 changed notes. The
// notes come from the command line, which has the same vault on another device.
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { BASE, browser } from "./lib.mjs";
import { PASSWORD } from "./person.mjs";
import { joined, to, unlock } from "./vault_lib.mjs";

const NOTES = Number(process.env.NOTES ?? 10_000);
const CHANGED = 1000;
const folder = mkdtempSync(join(tmpdir(), "vault-speed-"));
const env = { ...process.env, SYMBOLON_HOME: join(folder, "home") };
const cli = (words, input) => execFileSync(process.env.SYMBOLON, words, { encoding: "utf8", env, input, stdio: ["pipe", "pipe", "inherit"] });

// 3,000 words, the common ones often, as in a text: about 1 KiB a note.
let seed = 7;
const random = () => (seed = (seed * 1103515245 + 12345) & 0x7fffffff) / 0x7fffffff;
const words = Array.from({ length: 3000 }, () => Array.from({ length: 3 + Math.floor(random() * 8) }, () => "etaoinshrdlucmfw"[Math.floor(random() * 16)]).join(""));
const text = () => Array.from({ length: 160 }, () => words[Math.floor(3000 * random() ** 3)]).join(" ");
const notes = join(folder, "notes");
mkdirSync(notes);
const id = (n) => n.toString(16).padStart(32, "0");
const put = (n) => writeFileSync(join(notes, `Note ${n}.md`), `---\nid: "${id(n + 1)}"\n---\n${text()}\n`);
for (let n = 0; n < NOTES; n++) put(n);

const { page } = await joined("speed");
try {
  cli(["vault", "join", "--server", BASE, "--handle", "speed", "--device", "--from-stdin"], PASSWORD);
  cli(["note", "import", notes]);
  cli(["vault", "sync"]);

  const taken = (name) => page.evaluate((wanted) => performance.getEntriesByName(wanted).map((one) => one.duration), `vault.${name}`);
  const last = async (name) => (await taken(name)).at(-1);
  const at = (all, part) => [...all].sort((a, b) => a - b)[Math.min(all.length - 1, Math.floor(all.length * part))];
  const say = (what, ms) => console.log(`${what.padEnd(52)} ${ms.toFixed(1).padStart(9)} ms`);

  await to(page, "Notes");
  await page.evaluate(() => dispatchEvent(new Event("focus")));
  await page.getByText(`Show more of ${NOTES}`).waitFor({ timeout: 180_000 });
  say(`first sync of ${NOTES} notes`, await last("sync"));
  await page.waitForTimeout(6000);

  // Opened again, from the sealed copy.
  await page.goto(`${BASE}/notes`);
  await page.getByLabel("Password", { exact: true }).waitFor();
  const began = Date.now();
  await unlock(page);
  await page.getByText(`Show more of ${NOTES}`).waitFor({ timeout: 60_000 });
  say("password to list, from the sealed copy", Date.now() - began);

  // Each list as the page asks for it; the first of them fills what is shown.
  for (let n = 0; n < 15; n++) await page.evaluate(() => dispatchEvent(new Event("focus"))).then(() => page.waitForTimeout(30));
  for (let n = 0; n < 20; n++) {
    await page.getByLabel("Search your notes").fill(words[n * 20]);
    await page.waitForTimeout(60);
    await page.getByLabel("Search your notes").fill("");
    await page.waitForTimeout(60);
  }
  const lists = (await taken("list")).slice(1);
  assert.ok(lists.length >= 30, "lists were measured");
  // Every second question was a search; both are asked as `list`.
  const searches = lists.filter((_, n) => n % 2 === lists.length % 2);
  const plain = lists.filter((_, n) => n % 2 !== lists.length % 2);
  say("list, p50", at(plain, 0.5));
  say("list, p99", at(plain, 0.99));
  say("search, p50", at(searches, 0.5));
  say("search, p99", at(searches, 0.99));

  for (let n = 0; n < CHANGED; n++) put(n);
  cli(["note", "import", notes]);
  cli(["vault", "sync"]);
  const before = (await taken("sync")).length;
  await page.evaluate(() => dispatchEvent(new Event("focus")));
  await page.waitForFunction((n) => performance.getEntriesByName("vault.sync").length > n, before, { timeout: 60_000 });
  say(`sync of ${CHANGED} changed notes`, await last("sync"));
  console.log("ok figures were taken");
} finally {
  await browser.close();
}
