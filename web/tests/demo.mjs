// The hands of `cargo xtask demo` in the page: it is told a step a line, does it as a person would, and says what it saw.
import { createInterface } from "node:readline";
import { authenticator } from "./authenticator.mjs";
import { BASE, browser, close, open } from "./lib.mjs";
import { writeDown } from "./person.mjs";
import { isVault, to, write } from "./vault_lib.mjs";

const owner = await open();
const { page } = owner;
await authenticator(page);

const steps = {
  /** Opens the page by its owner's link. */
  async enter({ link }) {
    await page.goto(`${BASE}/${new URL(link).hash}`);
    await page.getByRole("navigation", { name: "Views" }).waitFor();
    return page.title();
  },

  /** A vault, in one tap of a passkey. */
  async vault() {
    await page.getByRole("region", { name: "Create your vault" }).getByRole("link").first().click();
    await page.getByRole("button", { name: "Create a vault with a passkey", exact: true }).click();
    return (await writeDown(page, false, isVault)).length;
  },

  async note({ title, text }) {
    await write(page, title, text);
    return title;
  },

  async connect({ service, url, root, credential }) {
    await to(page, "Connections");
    await page.getByRole("link", { name: "Connect a service" }).first().click();
    await page.getByLabel("Look for a service").fill(service);
    await page.getByRole("link", { name: new RegExp(service, "i") }).first().click();
    await page.getByText("More", { exact: true }).click();
    await page.getByLabel("Base URL").fill(url);
    await page.getByLabel("Root certificate").fill(root);
    await page.getByLabel("It is on this machine").check();
    await page.getByRole("radio", { name: "In this broker" }).check();
    await page.getByLabel("Credential").fill(credential);
    await page.getByRole("button", { name: "Connect" }).click();
    await page.getByRole("heading", { level: 1, name: "Connections" }).waitFor();
    return service;
  },

  async grant({ agent, scopes }) {
    await to(page, "Grants");
    await page.getByRole("link", { name: "Grant something" }).first().click();
    await page.getByLabel("Who").fill(agent);
    for (const scope of scopes) await page.getByRole("checkbox", { name: scope }).check();
    const sentence = (await page.locator(".preview").textContent()).trim().replace(/\s+/g, " ");
    await page.getByRole("button", { name: "Grant it" }).click();
    await page.getByRole("list", { name: "In force" }).getByRole("listitem").filter({ hasText: agent }).first().waitFor();
    return sentence;
  },

  /** Stays at the live calls until one of them is over. */
  async watch({ tool }) {
    await page.getByRole("link", { name: "Live calls" }).click();
    await page.getByRole("row").filter({ hasText: tool }).getByText("done").waitFor();
    return tool;
  },

  /** Says yes to the question that waits. */
  async approve() {
    await page.getByRole("link", { name: /^Approvals/ }).click();
    const question = page.getByRole("article");
    await question.waitFor();
    const sentence = await question.getByRole("heading").textContent();
    await question.getByRole("button", { name: "Approve" }).click();
    await page.getByText("approved", { exact: true }).first().waitFor();
    return sentence;
  },

  /** Opens a receipt, which the page verifies in its Worker. */
  async receipt({ number, tool }) {
    await to(page, "Receipts");
    await page.getByRole("row").filter({ hasText: tool }).first().getByRole("link").click();
    await page.getByRole("heading", { level: 1, name: `Receipt ${number}` }).waitFor();
    await page.getByRole("heading", { name: "Verified in this page" }).waitFor();
    return page.locator(".checks li").allInnerTexts();
  },

  /** Everything that the page shows, keeps and was answered. */
  async seen() {
    return page.evaluate(() => [document.documentElement.outerHTML, JSON.stringify({ ...localStorage }), document.cookie].join("\n"));
  },
};

try {
  for await (const line of createInterface({ input: process.stdin })) {
    const { step, ...given } = JSON.parse(line);
    const saw = await steps[step](given);
    console.log(JSON.stringify({ saw }));
  }
  await close(owner);
} finally {
  await browser.close();
}
