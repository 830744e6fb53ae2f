// What tests of accounts do again and again: sign up, write the code down, lock, leave, come back.
import assert from "node:assert/strict";
import { BASE, shown } from "./lib.mjs";

export const PASSWORD = "correct horse battery staple";
/** A name is taken once. */
const names = (function* () { for (let n = 1; ; n++) yield `ada-${process.pid}-${n}`; })();
export const aName = () => names.next().value;

export const button = (page, name) => page.getByRole("button", { name, exact: true });
export const group = (page) => page.getByRole("group", { name: "Other ways" });
export const alert = (page, text) => page.getByRole("alert").getByText(text).first().waitFor();
/** Wherever an open vault begins, its ways in are a step away. */
export async function isOpen(page) {
  await page.getByRole("button", { name: "Lock", exact: true }).waitFor();
  await page.getByRole("link", { name: "Ways in" }).click();
  await page.getByRole("heading", { level: 1, name: "Devices and ways in" }).waitFor();
}
export const isLocked = (page) => page.getByRole("heading", { level: 1, name: /vault is locked/ }).waitFor();
export const isOut = (page) => page.getByRole("link", { name: "Sign in" }).waitFor();

/** Writes the recovery code down, and is asked for one word of it. Gives the words. `then`: what comes afterwards. */
export async function writeDown(page, shots, then = isOpen) {
  await page.getByRole("heading", { name: "Write these 24 words down." }).waitFor();
  const words = await page.getByRole("list", { name: "Recovery code" }).locator(".mono").allTextContents();
  assert.equal(words.length, 24);
  if (shots) await shown(page, "account-recovery");
  await button(page, "I wrote them down").click();
  const heading = await page.getByRole("heading", { name: /Which is word \d+\?/ }).textContent();
  const at = Number(/\d+/.exec(heading)[0]);
  await page.getByLabel(`Word ${at} of 24`).fill(words[at - 1] === "zoo" ? "abandon" : "zoo");
  await button(page, "Done").click();
  await alert(page, "That is another word.");
  if (shots) await shown(page, "account-recovery-wrong-word");
  await page.getByLabel(`Word ${at} of 24`).fill(words[at - 1]);
  await button(page, "Done").click();
  await then(page);
  return words;
}

/** Nothing of the code is left in what the browser keeps or shows. */
export async function isForgotten(page, secrets) {
  const held = await page.evaluate(async () => [
    document.documentElement.outerHTML, JSON.stringify({ ...localStorage }), JSON.stringify({ ...sessionStorage }), document.cookie, location.href,
    JSON.stringify(await indexedDB.databases()), ...[...document.querySelectorAll("input, textarea")].map((one) => one.value),
  ]);
  for (const secret of secrets) assert.equal(held.some((text) => text.includes(secret)), false, "a secret stayed in the page");
}

/** Everything that was sent, to be searched for what must not be. */
export function listen(context) {
  const sent = [];
  context.on("request", (request) => sent.push(`${request.url()} ${JSON.stringify(request.headers())} ${request.postDataBuffer()?.toString("latin1") ?? ""}`));
  return sent;
}

export async function signUpWithPassword(page, name, password = PASSWORD) {
  await page.goto(`${BASE}/`);
  await page.getByLabel("Name").fill(name);
  await group(page).getByRole("button", { name: "Password" }).click();
  await page.getByLabel("Password", { exact: true }).fill(password);
  await page.getByLabel("The same again").fill(password);
  await button(page, "Create the vault").click();
}

export async function signIn(page, way) {
  await page.goto(`${BASE}/sign-in`);
  await page.getByRole("heading", { name: "Welcome back." }).waitFor();
  if (way) await group(page).getByRole("button", { name: way }).click();
}

export async function lock(page) {
  await page.goto(`${BASE}/settings`);
  await isLocked(page);
}

export async function signOut(page) {
  await page.getByRole("link", { name: "Settings" }).click();
  await button(page, "Sign out").click();
  await isOut(page);
}
