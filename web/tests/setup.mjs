// The owner sets up: a connection with its credential, an agent's key, a grant; each is taken back again.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { BASE, call, close, enter, go, run, shown } from "./lib.mjs";

const { CANARY, UPSTREAM_URL, UPSTREAM_CA } = process.env;

await run({
  async "a credential goes out once, and is nowhere afterwards"() {
    const owner = await enter();
    const { page } = owner;
    const bodies = [];
    const said = [];
    owner.context.on("request", (request) => bodies.push([request.method(), new URL(request.url()).pathname, request.postDataBuffer()?.toString("latin1") ?? "", request.url(), JSON.stringify(request.headers())]));
    page.on("console", (message) => said.push(message.text()));
    const answers = [];
    owner.context.on("response", (response) => answers.push(response));
    await go(page, "/connections/new", "Connect a service");
    await page.keyboard.press("/");
    await page.keyboard.type("httpb");
    await page.getByRole("link", { name: /httpbin/ }).waitFor();
    await shown(page, "catalogue-search");
    await page.keyboard.press("Escape");
    await page.keyboard.press("j");
    await page.keyboard.press("Enter");
    await page.getByRole("heading", { name: "Connect httpbin" }).waitFor();
    await page.getByText("More", { exact: true }).click();
    await page.getByLabel("Name", { exact: true }).fill("second");
    await page.getByLabel("Base URL").fill(UPSTREAM_URL);
    await page.getByLabel("Root certificate").fill(readFileSync(UPSTREAM_CA, "utf8"));
    await page.getByLabel("It is on this machine").check();
    await page.getByLabel("Credential").fill(CANARY);
    await shown(page, "connect");
    await page.getByRole("button", { name: "Connect" }).click();
    const card = page.getByRole("listitem").filter({ has: page.getByRole("heading", { name: "second" }) });
    await card.waitFor();
    await card.getByRole("button", { name: "Check it" }).click();
    await card.getByText("works:").waitFor();
    await shown(page, "connections");

    const held = await page.evaluate(async () => {
      const fields = [...document.querySelectorAll("input, textarea")].map((one) => one.value);
      const stores = [JSON.stringify({ ...localStorage }), JSON.stringify({ ...sessionStorage }), document.cookie, location.href, JSON.stringify(history.state)];
      const databases = JSON.stringify(await indexedDB.databases());
      const caches = JSON.stringify(await globalThis.caches.keys());
      return [document.documentElement.outerHTML, ...fields, ...stores, databases, caches];
    });
    const texts = await Promise.all(answers.filter((one) => !one.url().includes("/live")).map((one) => one.text().catch(() => "")));
    const forms = [CANARY, encodeURIComponent(CANARY), btoa(CANARY), Buffer.from(CANARY).toString("hex")];
    const has = (text) => forms.some((form) => text.includes(form));
    assert.equal(held.some(has), false, "it is in the page");
    assert.equal(texts.some(has), false, "an answer repeats it");
    assert.equal(said.some(has), false, "the console has it");
    const sent = bodies.filter((one) => one.some(has)).map(([method, path]) => `${method} ${path}`);
    assert.deepEqual(sent, ["POST /api/owner/connections"], "it was sent once, in one body");
    assert.equal(bodies.some(([, , , url, headers]) => has(url) || has(headers)), false, "an address or a header has it");
    await close(owner);
  },

  async "a credential that does not work is not kept, nor is it left in its field"() {
    const owner = await enter();
    await go(owner.page, "/connections/new/httpbin", "Connect httpbin");
    await owner.page.getByText("More", { exact: true }).click();
    await owner.page.getByLabel("Name", { exact: true }).fill("third");
    await owner.page.getByLabel("Base URL").fill(UPSTREAM_URL.replace(/\d+$/, "9"));
    await owner.page.getByLabel("It is on this machine").check();
    await owner.page.getByLabel("Credential").fill(CANARY);
    await owner.page.getByRole("button", { name: "Connect" }).click();
    await owner.page.getByRole("alert").waitFor();
    assert.equal(await owner.page.getByLabel("Credential").inputValue(), "");
    await shown(owner.page, "connect-failed");
    await close(owner);
  },

  async "an agent's key is shown once, a grant is a sentence, and both are taken back"() {
    const owner = await enter();
    const { page } = owner;
    await go(page, "/agents", "Agents");
    await page.getByLabel("Name of a new agent").fill("robin");
    await page.getByRole("button", { name: "Make a key" }).click();
    const key = (await page.getByRole("dialog").locator("code").last().textContent()).trim();
    assert.match(key, /^sym_[\w-]{43}$/);
    await shown(page, "agent-key");
    await page.getByRole("button", { name: "I have it" }).click();
    await page.locator("dialog").waitFor({ state: "detached" });
    assert.equal((await page.content()).includes(key), false, "the key stays in the page");
    assert.equal((await call("httpbin.get", {}, key)).code, "no_grant");

    await page.getByRole("listitem").filter({ has: page.getByRole("heading", { name: "robin" }) }).getByRole("link", { name: "Grant" }).click();
    await page.getByRole("heading", { name: "Grant something" }).waitFor();
    assert.equal(await page.getByLabel("Who").inputValue(), "robin");
    await page.getByLabel("Through").selectOption("httpbin");
    await page.getByRole("checkbox", { name: /httpbin\.inspect\.read/ }).check();
    await page.getByText(/robin may use httpbin\.inspect\.read through httpbin until \d\d:\d\d/).waitFor();
    await shown(page, "grant-new");
    await page.getByRole("button", { name: "Grant it" }).click();
    const given = page.getByRole("list", { name: "In force" }).getByRole("listitem").filter({ hasText: "robin" });
    await given.waitFor();
    assert.match(await given.textContent(), /robin may .* through httpbin until \d\d:\d\d(?!:)/);
    await shown(page, "grants");
    assert.equal((await call("httpbin.get", {}, key)).status, 200);

    await given.getByRole("button", { name: /Take back grant/ }).click();
    await shown(page, "grant-take-back");
    await page.getByRole("dialog").getByRole("button", { name: "Take it back" }).click();
    await given.waitFor({ state: "detached" });
    assert.equal((await call("httpbin.get", {}, key)).status, 403);
    await page.getByRole("heading", { name: "Over" }).waitFor();

    await go(page, "/agents", "Agents");
    await shown(page, "agents");
    await page.getByRole("button", { name: "End its key: robin" }).click();
    await page.getByRole("dialog").getByRole("button", { name: "End it" }).click();
    await page.getByRole("heading", { name: "robin", exact: true }).waitFor({ state: "detached" });
    assert.equal((await call("httpbin.get", {}, key)).status, 401);
    await close(owner);
  },

  async "a connection is removed, and its service is called no more"() {
    const owner = await enter();
    await go(owner.page, "/connections", "Connections");
    await owner.page.getByRole("button", { name: "Remove second" }).click();
    await owner.page.getByRole("dialog").getByRole("button", { name: "Keep it" }).click();
    await owner.page.getByRole("button", { name: "Remove second" }).click();
    await owner.page.getByRole("dialog").getByRole("button", { name: "Remove it" }).click();
    await owner.page.getByRole("heading", { name: "second", exact: true }).waitFor({ state: "detached" });
    await close(owner);
  },

  async "everything is reached by keys, and the list of keys is true"() {
    const owner = await enter();
    const { page } = owner;
    await page.keyboard.press("?");
    const rows = await page.getByRole("dialog").getByRole("listitem").allTextContents();
    await shown(page, "keys");
    await page.keyboard.press("Escape");
    const places = rows.map((row) => /^\s*g\s+(\w)\s+(.+?)\s*$/.exec(row)).filter(Boolean);
    assert.equal(places.length, 9);
    for (const [, key, heading] of places) {
      await page.keyboard.press("g");
      await page.keyboard.press(key);
      await page.getByRole("heading", { level: 1, name: heading }).waitFor();
      assert.equal(await page.evaluate(() => document.activeElement?.tagName), "H1", `${heading} is not read out`);
    }
    await page.keyboard.press("Tab");
    await page.goBack();
    await page.getByRole("heading", { level: 1, name: "Log" }).waitFor();
    for (const theme of ["Light", "Dark", "As the system"]) {
      await go(page, "/settings", "Settings");
      await page.getByLabel(theme, { exact: true }).check();
    }
    await shown(page, "settings");
    await close(owner);
  },
});
