// What tests of the vault use: people with accounts, each in a browser of their own, and what passed over the network.
import { appendFileSync } from "node:fs";
import { chromium } from "playwright-core";
import { BASE, open } from "./lib.mjs";
import { PASSWORD, writeDown } from "./person.mjs";

const { PROFILE, TRANSCRIPT } = process.env;

/** Writes every request and response, heads and bodies, to the transcript. */
export function record(context) {
  if (!TRANSCRIPT) return;
  const put = (...parts) => parts.forEach((part) => part && appendFileSync(TRANSCRIPT, part));
  context.on("request", (request) => put(`${request.method()} ${request.url()}\n${JSON.stringify(request.headers())}\n`, request.postDataBuffer(), "\n"));
  context.on("response", async (response) => {
    if (/\/assets\//.test(response.url())) return;
    put(`${response.status()} ${response.url()}\n${JSON.stringify(response.headers())}\n`);
    put(await response.body().catch(() => undefined), "\n");
  });
}

/** Somebody who comes for the first time: an account with a password, its vault open. */
export async function joined(name, options) {
  const opened = await open(options);
  record(opened.context);
  await signUp(opened.page, name);
  return opened;
}

/** The same in a browser whose profile stays on the disk. */
export async function joinedOnDisk(name) {
  const context = await chromium.launchPersistentContext(PROFILE, {
    executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium",
    headless: true,
    viewport: { width: 1280, height: 860 },
    reducedMotion: "reduce",
    permissions: ["clipboard-read", "clipboard-write"],
    args: ["--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking", "--disable-component-update", "--disable-sync"],
  });
  record(context);
  const page = context.pages()[0] ?? (await context.newPage());
  page.setDefaultTimeout(20_000);
  await signUp(page, name);
  return { context, page };
}

export async function signUp(page, name) {
  await page.goto(BASE);
  await page.getByLabel(/^Name/).fill(name);
  await page.getByRole("button", { name: "Password", exact: true }).click();
  await page.getByLabel("Password", { exact: true }).fill(PASSWORD);
  await page.getByLabel("The same again").fill(PASSWORD);
  await page.getByRole("button", { name: "Create the vault" }).click();
  await writeDown(page, false, isVault);
}

/** Wherever somebody was: the vault is open. */
export const isVault = (page) => page.getByRole("link", { name: "Notes", exact: true }).first().waitFor();

/** Opens the vault of whoever is signed in, after a load. */
export async function unlock(page) {
  const field = page.getByLabel("Password", { exact: true });
  await field.waitFor();
  await field.fill(PASSWORD);
  await page.getByRole("button", { name: "Open the vault" }).click();
}

/** A place of the vault, without a load: that would lock it. */
export async function to(page, name) {
  await page.getByRole("navigation", { name: "Views" }).getByRole("link", { name, exact: true }).click();
  await page.getByRole("heading", { level: 1, name }).first().waitFor();
}

export const synced = (page) => page.getByText("Saved · synced").waitFor();

/** A new note, saved and sent. */
export async function write(page, title, body) {
  await to(page, "Notes");
  await page.getByRole("button", { name: "New note" }).first().click();
  await page.getByLabel("Title").fill(title);
  await page.getByLabel("Text, in Markdown").fill(body);
  await page.keyboard.press("Control+s");
  await synced(page);
}

export async function edit(page, body) {
  if ((await page.getByLabel("Text, in Markdown").count()) === 0) await page.getByRole("button", { name: "Write", exact: true }).first().click();
  await page.getByLabel("Text, in Markdown").fill(body);
}
