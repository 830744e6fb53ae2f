// A connection that is made in the page goes into the owner's vault, leads to the lease, and is used while that is live.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { authenticator } from "./authenticator.mjs";
import { call, close, enter, go, run, shown, symbolon } from "./lib.mjs";
import { alert, button, isForgotten, writeDown } from "./person.mjs";

const { CREDENTIAL, UPSTREAM_URL, UPSTREAM_CA } = process.env;
const TOOL = "upstream.notes.list";
const connections = () => JSON.parse(symbolon("--json", "connections"));
const place = (page, name) => page.getByRole("radio", { name });

/** To the form, without a load: a load would lock the vault. */
async function form(page, name) {
  await page.getByRole("link", { name: "Connections", exact: true }).click();
  await page.getByRole("link", { name: "Connect a service" }).first().click();
  await page.getByLabel("Look for a service").fill("upstream");
  await page.getByRole("link", { name: /^Upstream/i }).click();
  await page.getByRole("heading", { level: 1, name: /^Connect / }).waitFor();
  await page.getByText("More", { exact: true }).click();
  if (name) await page.getByLabel("Name", { exact: true }).fill(name);
  await page.getByLabel("Base URL").fill(UPSTREAM_URL);
  await page.getByLabel("Root certificate").fill(readFileSync(UPSTREAM_CA, "utf8"));
  await page.getByLabel("It is on this machine").check();
  await page.getByLabel("Credential").fill(CREDENTIAL);
}

await run({
  async "a connection goes into the vault and is used while it is lent"() {
    const owner = await enter();
    const { page } = owner;
    await authenticator(page);
    await go(page, "/welcome", "Create your vault");
    await page.getByRole("button", { name: "Create a vault with a passkey" }).click();
    await writeDown(page);

    await form(page);
    await place(page, "In my vault").waitFor();
    assert.equal(await place(page, "In my vault").isChecked(), true);
    await shown(page, "connect-in-vault");
    await button(page, "Connect").click();
    await page.getByRole("heading", { name: "upstream is in your vault." }).waitFor();
    await page.getByText("Nothing is lent now.").waitFor();
    await shown(page, "connect-kept-in-vault");
    assert.deepEqual(connections(), []);
    await isForgotten(page, [CREDENTIAL]);

    await page.getByRole("link", { name: "Lend them" }).click();
    await page.getByRole("heading", { level: 1, name: "Unlock leases" }).waitFor();
    assert.equal(await place(page, "Connections").isChecked(), true);
    await button(page, "Lend it").click();
    await page.getByText("Connections are lent for 15 minutes.").waitFor();
    for (let left = 100; left > 0 && connections().length === 0; left--) await page.waitForTimeout(100);
    assert.deepEqual(connections().map(({ name, lent }) => [name, lent]), [["upstream", true]]);
    symbolon("grant", "claude", "upstream.notes.read", "--for", "1h");
    assert.equal((await call(TOOL)).status, 200);

    // A name is taken once, in the vault and at the broker.
    await form(page);
    await button(page, "Connect").click();
    await alert(page, "Your vault has a connection named upstream already.");
    await form(page, "own");
    await place(page, "In this broker").check();
    await button(page, "Connect").click();
    await page.getByRole("heading", { level: 2, name: "own" }).waitFor();
    await form(page, "own");
    await button(page, "Connect").click();
    await alert(page, "This broker has a connection named own already.");

    // While it is lent there is nothing left to lend.
    await form(page, "second");
    await button(page, "Connect").click();
    await page.getByRole("heading", { name: "second is in your vault." }).waitFor();
    await page.getByText("this broker takes it up within seconds").waitFor();
    await shown(page, "connect-kept-and-lent");
    for (let left = 100; left > 0 && connections().length < 3; left--) await page.waitForTimeout(100);
    assert.deepEqual(connections().map(({ name }) => name).sort(), ["own", "second", "upstream"]);
    await close(owner);
  },
});
