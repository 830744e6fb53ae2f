// The end of an account: counted, meant, confirmed; then gone everywhere, also where its answer was never heard.
import assert from "node:assert/strict";
import { BASE, close, open, run, shown } from "./lib.mjs";
import { alert, aName, button, isLocked, PASSWORD, signUpWithPassword, writeDown } from "./person.mjs";
import { joined, to, unlock, write } from "./vault_lib.mjs";

const goodbye = (page) => page.getByRole("heading", { level: 1, name: "Your account is gone." }).waitFor();
const erase = (page) => button(page, "Delete the account for good");
const word = (page) => page.getByLabel(/^Type .+ to say/);

/** What the browser keeps of a vault. */
const kept = (page) => page.evaluate(async () => {
  const open = await new Promise((done) => (indexedDB.open("symbolon-vault").onsuccess = (event) => done(event.target.result)));
  const names = open.objectStoreNames.contains("sealed") ? await new Promise((done) => {
    open.transaction("sealed").objectStore("sealed").getAllKeys().onsuccess = (event) => done(event.target.result);
  }) : [];
  open.close();
  return { copies: names.length, set: Object.keys(localStorage).filter((key) => /lock-minutes|took|leaving/.test(key)) };
});

async function toDeletion(page) {
  await to(page, "Settings");
  await page.getByRole("link", { name: "Delete this account…" }).click();
  await page.getByRole("heading", { level: 1, name: "Delete this account" }).waitFor();
  await page.getByRole("heading", { name: "What is lost" }).waitFor();
}

await run({
  async "an account is deleted, and its tabs and its browser forget it"() {
    const name = aName();
    const person = await joined(name);
    const { page } = person;
    await write(page, "One", "text");
    await write(page, "Two", "text");
    await to(page, "Settings");
    await page.getByLabel("Lock it when nobody did anything for").selectOption("60");
    const other = await person.context.newPage();
    await other.goto(`${BASE}/notes`);
    await unlock(other);
    await other.getByRole("heading", { level: 1, name: "Notes" }).waitFor();
    await page.bringToFront();
    assert.equal((await kept(page)).copies, 1);

    await toDeletion(page);
    await page.getByText("2 notes and 0 other items").waitFor();
    await page.getByText(`The name ${name}`).waitFor();
    await shown(page, "delete-account");
    await word(page).fill("delete");
    assert.equal(await erase(page).isDisabled(), true, "another word was enough");
    await word(page).fill(name);
    await page.keyboard.press("Enter");
    await goodbye(page);
    await shown(page, "delete-goodbye");
    await goodbye(other);
    await page.waitForFunction(() => !localStorage.getItem("symbolon.leaving"));
    assert.deepEqual(await kept(page), { copies: 0, set: [] });
    assert.equal((await person.context.cookies()).some(({ name }) => /account|session/.test(name)), false, "a session stayed");
    await button(page, "Done").click();
    await button(page, "Create a vault with a passkey").waitFor();
    await signUpWithPassword(page, name);
    await page.getByRole("alert").waitFor();
    await shown(page, "delete-name-taken");
    await person.context.close();
  },

  async "a deletion whose answer was never heard is found out, and one that never came is none"() {
    for (const comes of [false, true]) {
      const name = aName();
      const person = await joined(name);
      const { page } = person;
      await write(page, "One", "text");
      await toDeletion(page);
      await page.route("**/api/account", async (route) => {
        if (route.request().method() !== "DELETE") return route.continue();
        if (comes) await route.fetch();
        return route.abort();
      });
      await word(page).fill(name);
      await erase(page).click();
      await alert(page, "may be deleted, or not");
      if (comes) await shown(page, "delete-unheard");
      await page.unroute("**/api/account");
      await page.reload();
      if (comes) {
        await goodbye(page);
        await page.waitForFunction(() => !localStorage.getItem("symbolon.leaving"));
        assert.equal((await kept(page)).copies, 0);
      } else {
        await page.getByRole("heading", { level: 1, name: "Delete this account" }).waitFor();
        await page.getByRole("link", { name: "Open it" }).click();
        await unlock(page);
        await page.getByRole("link", { name: /One/ }).first().waitFor();
        assert.equal(await page.evaluate(() => localStorage.getItem("symbolon.leaving")), null);
      }
      await person.context.close();
    }
  },

  async "who is here is asked first, also where the vault is locked"() {
    const guest = await open();
    const { page } = guest;
    await page.clock.install();
    const name = aName();
    await signUpWithPassword(page, name);
    await writeDown(page);
    await page.reload();
    await isLocked(page);
    await page.clock.fastForward(6 * 60_000);
    await page.getByRole("link", { name: "Delete this account…" }).click();
    await page.getByText("The vault is locked here").waitFor();
    await shown(page, "delete-locked");
    await word(page).fill(name);
    await erase(page).click();
    await page.getByRole("dialog", { name: "Is it you?" }).waitFor();
    await button(page, "Change nothing").click();
    await alert(page, "Nothing was changed.");
    await erase(page).click();
    await page.getByRole("dialog").getByLabel("Password", { exact: true }).fill(PASSWORD);
    await button(page, "Confirm").click();
    await goodbye(page);
    await close(guest);
  },
});
