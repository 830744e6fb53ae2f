// The operator's key gives way to another: a browser that kept the one follows to the other, by both signatures.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { BASE, close, enter, go, open, run, shown } from "./lib.mjs";

const { PHASE, STATE, RECEIPT, NUMBER, OLD, LINE, OPERATOR_PUB } = process.env;
const file = (name) => ({ name: "file", mimeType: "application/json", buffer: readFileSync(name) });
const kept = (page) => page.evaluate(() => localStorage.getItem("symbolon.operator").split(" ")[1]);

const before = {
  async "a browser keeps the key that it sees first"() {
    const owner = await enter();
    await go(owner.page, "/log", "Log");
    await owner.page.getByRole("heading", { name: "Operator's public key" }).waitFor();
    assert.equal(await kept(owner.page), readFileSync(OPERATOR_PUB, "utf8").trim());
    assert.equal(await owner.page.getByRole("link", { name: "save operator.succession" }).count(), 0);
    await owner.context.storageState({ path: STATE });
    await close(owner);
  },
};

/** With the key of before kept, and the server's word of its line changed by this. */
async function entered(change) {
  const owner = await enter({ state: STATE });
  if (change) {
    await owner.page.route("**/api/owner/log", async (route) => {
      const response = await route.fetch();
      await route.fulfill({ response, json: change(await response.json()) });
    });
  }
  return owner;
}

const after = {
  async "without the line, or with another, the new key is another operator's"() {
    const old = readFileSync(OLD, "utf8").trim();
    for (const succession of [undefined, "{}", readFileSync(LINE, "utf8").replace("successor/v1 ", "successor/v1 A")]) {
      const owner = await entered((log) => ({ ...log, succession }));
      await go(owner.page, "/log", "Log");
      await owner.page.getByRole("alert").getByText("another operator").waitFor();
      await go(owner.page, `/receipts/${NUMBER}`, `Receipt ${NUMBER}`);
      await owner.page.getByRole("heading", { name: "Not to be believed" }).waitFor();
      assert.equal(await kept(owner.page), old);
      await close(owner);
    }
  },

  async "with it, receipts go on being verified, and the new key is kept"() {
    const owner = await entered();
    await go(owner.page, `/receipts/${NUMBER}`, `Receipt ${NUMBER}`);
    await owner.page.getByRole("heading", { name: "Verified in this page" }).waitFor();
    assert.equal(await owner.page.getByText("another operator").count(), 0);
    assert.equal(await kept(owner.page), readFileSync(OPERATOR_PUB, "utf8").trim());
    await go(owner.page, "/log", "Log");
    const saved = owner.page.waitForEvent("download");
    await owner.page.getByRole("link", { name: "save operator.succession" }).click();
    assert.deepEqual(readFileSync(await (await saved).path()), readFileSync(LINE));
    await shown(owner.page, "log-after-rotation");
    // Back to the key of before is no way forward.
    const old = readFileSync(OLD, "utf8");
    await owner.page.route("**/api/owner/log", async (route) => {
      const response = await route.fetch();
      await route.fulfill({ response, json: { ...(await response.json()), vkey: old } });
    });
    await go(owner.page, "/log", "Log");
    await owner.page.getByRole("alert").getByText("another operator").waitFor();
    await close(owner);
  },

  async "anybody verifies a receipt of before with the new key and the line, without a server"() {
    const guest = await open();
    const { page } = guest;
    await page.goto(`${BASE}/verify`);
    await page.getByLabel("The operator's public key").fill(readFileSync(OPERATOR_PUB, "utf8"));
    const asked = guest.seen.requests.length;
    await page.getByLabel("The receipt, or the certificate").setInputFiles(file(RECEIPT));
    await page.getByRole("heading", { name: "Not to be believed" }).waitFor();
    await page.getByLabel("The keys before and after it").setInputFiles(file(LINE));
    await page.getByRole("heading", { name: "Verified in this page" }).waitFor();
    await page.getByText("a key that the operator had until entry").waitFor();
    await shown(page, "verified-key-of-before");
    await page.getByLabel("The keys before and after it").setInputFiles(file(RECEIPT));
    await page.getByText("Succession", { exact: true }).waitFor();
    const paths = guest.seen.requests.slice(asked).map((one) => new URL(one.url()).pathname);
    assert.deepEqual(paths.filter((path) => !path.startsWith("/assets/")), [], "a server was asked");
    await close(guest);
  },
};

await run(PHASE === "before" ? before : after);
