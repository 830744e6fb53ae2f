// The broker's home and a passkey: added under Settings, locked, unlocked by one tap, and an agent's call works again; the
// vault's passkey for both; an authenticator without PRF; a finger that is not recognised.
import assert from "node:assert/strict";
import { authenticator } from "./authenticator.mjs";
import { BASE, call, close, enter, go, run, shown, symbolon } from "./lib.mjs";
import { alert, button, listen, writeDown } from "./person.mjs";

const TOOL = "upstream.notes.list";
const locked = (page) => page.getByRole("heading", { name: "This broker is locked" });
const ADD = "Unlock this broker with a passkey";
const TAP = "Unlock with your passkey";
const ways = () => JSON.parse(symbolon("--json", "custody", "list")).filter(({ method }) => method === "passkey");
const isUnlocked = () => JSON.parse(symbolon("--json", "status")).unlocked;

async function lock(page) {
  symbolon("lock");
  await locked(page).waitFor();
}

/** The owner's link once more, in this browser. */
async function link(page) {
  // An address that differs in its fragment alone is no load.
  await page.goto("about:blank");
  await page.goto(`${BASE}/${new URL(symbolon("page")).hash}`);
  await page.getByRole("navigation", { name: "Views" }).waitFor();
}

async function settings(page) {
  await page.getByRole("link", { name: "Settings" }).first().click();
  await page.getByRole("heading", { level: 1, name: "Settings" }).waitFor();
}

async function removeAll(page) {
  for (const remove of await page.getByRole("button", { name: /^Remove the passkey/ }).all()) {
    await remove.click();
    await page.getByRole("dialog").getByRole("button", { name: "Remove it" }).click();
    await page.getByText("That passkey unlocks this broker no more.").waitFor();
  }
  assert.deepEqual(ways(), []);
}

await run({
  async "a passkey is added, and one tap unlocks"() {
    const owner = await enter();
    const { page } = owner;
    const device = await authenticator(page);
    const sent = listen(owner.context);
    assert.equal((await call(TOOL)).status, 200);

    // Nothing was added yet: the page says what opens it, and what would.
    await lock(page);
    await page.getByText("When it is open, add your passkey").waitFor();
    assert.equal(await button(page, TAP).count(), 0);
    await shown(page, "broker-locked-without-a-passkey");
    symbolon("unlock");
    await locked(page).waitFor({ state: "detached" });

    // A lock ended what the link had shown.
    await settings(page);
    await button(page, ADD).click();
    await alert(page, "show once more that you are its owner");
    await shown(page, "broker-ways-unconfirmed");
    await link(page);
    await settings(page);
    await shown(page, "broker-ways-none");
    await button(page, ADD).click();
    await page.getByText("Your passkey unlocks this broker now.").waitFor();
    await shown(page, "broker-ways-added");
    assert.equal((await device.credentials()).length, 1);
    assert.equal(ways().length, 1);
    // The same authenticator has one already.
    await button(page, "Add another passkey").click();
    await alert(page, "This authenticator has a passkey");

    await lock(page);
    const refused = await call(TOOL);
    assert.deepEqual([refused.status, refused.code, refused.next], [503, "locked", "symbolon unlock"]);
    await page.getByRole("link", { name: "Overview" }).click();
    await shown(page, "broker-locked");
    await page.getByRole("button", { name: TAP }).focus();
    await page.keyboard.press("Enter");
    await locked(page).waitFor({ state: "detached" });
    assert.equal(isUnlocked(), true);
    assert.equal((await call(TOOL)).status, 200);

    // Each tap is sealed anew, and what the passkey gave is in nothing that was sent.
    await lock(page);
    await button(page, TAP).click();
    await locked(page).waitFor({ state: "detached" });
    const taps = sent.filter((one) => one.includes("/api/owner/unlock ")).map((one) => /"sealed":"([\w-]+)"/.exec(one)[1]);
    assert.equal(taps.length, 2);
    assert.notEqual(taps[0], taps[1]);
    const [, recorded] = sent.filter((one) => one.includes("/api/owner/unlock "));
    assert.deepEqual(Object.keys(JSON.parse(recorded.slice(recorded.indexOf('{"nonce"')))).sort(), ["nonce", "sealed", "wrap"]);

    // A finger that it does not know unlocks nothing, and the page goes on from there.
    await lock(page);
    await device.mistake();
    await button(page, TAP).click();
    await alert(page, "No passkey was chosen.");
    assert.equal(isUnlocked(), false);
    await shown(page, "broker-locked-not-recognised");
    symbolon("unlock");
    await locked(page).waitFor({ state: "detached" });
    await link(page);
    await settings(page);
    await removeAll(page);
    await page.getByText("With a passkey, one tap in this page").waitFor();
    await close(owner);
  },

  async "an authenticator without PRF adds nothing and unlocks nothing"() {
    const owner = await enter();
    const { page } = owner;
    const plain = await authenticator(page, "no prf");
    await settings(page);
    await button(page, ADD).click();
    await alert(page, "This authenticator has no PRF");
    await shown(page, "broker-ways-no-prf");
    assert.deepEqual(ways(), []);
    await plain.remove();
    const device = await authenticator(page);
    await button(page, ADD).click();
    await page.getByText("Your passkey unlocks this broker now.").waitFor();
    await lock(page);
    // What was added is on another device than the one that is here now.
    await device.remove();
    await authenticator(page, "no prf");
    await button(page, TAP).click();
    await alert(page, "No passkey was chosen.");
    assert.equal(isUnlocked(), false);
    symbolon("unlock");
    for (const { id } of ways()) symbolon("custody", "remove", id);
    await close(owner);
  },

  async "the vault's passkey opens both, and its owner confirms without a terminal"() {
    const owner = await enter();
    const { page } = owner;
    await authenticator(page);
    await go(page, "/welcome", "Create your vault");
    await page.getByRole("button", { name: "Create a vault with a passkey" }).click();
    await writeDown(page);
    // The link is worth nothing any more: the account is what shows who is here.
    symbolon("lock");
    await page.getByText("This broker is locked: no agent can call.").waitFor();
    await shown(page, "broker-locked-beside-the-vault");
    await page.getByRole("link", { name: "Unlock it" }).click();
    await locked(page).waitFor();
    symbolon("unlock");
    await locked(page).waitFor({ state: "detached" });
    await settings(page);
    await shown(page, "broker-ways-vault");
    await button(page, "Unlock it with my vault’s passkey").click();
    await page.getByText("Your passkey unlocks this broker now.").waitFor();
    assert.equal(ways().length, 1);
    await lock(page);
    await button(page, TAP).click();
    await locked(page).waitFor({ state: "detached" });
    assert.equal((await call(TOOL)).status, 200);
    await removeAll(page);
    await close(owner);
  },
});
