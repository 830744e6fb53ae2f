// Another data key: what was shown opens afterwards, nothing else does; other tabs and devices notice, and lose nothing.
import assert from "node:assert/strict";
import { authenticator } from "./authenticator.mjs";
import { BASE, close, counted, open, run, shown } from "./lib.mjs";
import { alert, aName, button, isOpen, lock, PASSWORD, signIn, signOut, signUpWithPassword, writeDown } from "./person.mjs";
import { edit, synced, to, unlock, write } from "./vault_lib.mjs";

const ways = (page) => page.getByRole("list", { name: "Ways in" }).getByRole("listitem");
const note = (page, title) => page.getByRole("region", { name: "Notes" }).getByRole("link").filter({ has: page.locator("strong", { hasText: title }) });
const stale = (page) => page.getByRole("dialog", { name: "The vault has a new key." });

/** To the step at which ways are shown. */
async function toRotation(page) {
  await isOpen(page);
  await page.getByRole("link", { name: "Change the key…" }).click();
  await page.getByRole("heading", { name: "Which ways in stay?" }).waitFor();
}

async function keepPassword(page, password = PASSWORD) {
  await page.getByLabel("Password", { exact: true }).fill(password);
  await button(page, "Keep it").click();
}

async function openAnew(page) {
  await stale(page).getByLabel("Password", { exact: true }).fill(PASSWORD);
  await stale(page).getByRole("button", { name: "Open the vault" }).click();
  await stale(page).waitFor({ state: "detached" });
}

await run({
  async "the key is changed, and who has the vault open elsewhere opens it anew"() {
    const guest = await open();
    const { page, context } = guest;
    await authenticator(page);
    const name = aName();
    await signUpWithPassword(page, name);
    const old = await writeDown(page);
    await button(page, "Add a way in").click();
    await button(page, "Add a passkey").click();
    await ways(page).filter({ hasText: "Passkey" }).waitFor();
    for (const title of ["One", "Two", "Three"]) await write(page, title, `of ${title}`);

    // A second tab and a second device, each with the vault open, one of them with words that were not sent.
    const tab = await context.newPage();
    await tab.goto(`${BASE}/notes`);
    await unlock(tab);
    await note(tab, "One").click();
    const device = await open();
    await signIn(device.page, "Password");
    await device.page.getByLabel("Name").fill(name);
    await device.page.getByLabel("Password", { exact: true }).fill(PASSWORD);
    await button(device.page, "Sign in").click();
    await isOpen(device.page);
    await to(device.page, "Notes");
    await note(device.page, "Two").click();
    await device.context.setOffline(true);
    await edit(device.page, "written on a train");
    await device.page.keyboard.press("Control+s");
    await device.page.getByText("Saved here · offline").waitFor();

    await page.bringToFront();
    let anew = 0;
    page.on("request", (request) => {
      if (request.url().endsWith("/api/vault/commit")) anew += JSON.parse(request.postData()).revisions.length;
    });
    await toRotation(page);
    await shown(page, "rotate-ways");
    assert.equal(await button(page, "Go on to the new recovery code").isDisabled(), true, "nothing has to stay");
    await keepPassword(page, "not the password");
    await alert(page, /password is wrong/);
    await keepPassword(page);
    await ways(page).filter({ hasText: "Password" }).getByText("stays").waitFor();
    await shown(page, "rotate-one-stays");
    await button(page, "Go on to the new recovery code").click();
    await page.getByText("Nothing has changed yet.").waitFor();
    await shown(page, "rotate-code");
    const words = await writeDown(page, false, () => page.getByRole("heading", { name: "The vault has a new key." }).waitFor());
    assert.notDeepEqual(words, old);
    await page.getByText("These are no ways in any more: Passkey.").waitFor();
    await page.getByText("Everything is sealed under it.").waitFor();
    assert.equal(anew, 3, "each note is sealed anew, once");
    await shown(page, "rotate-done");
    await page.getByRole("main").getByRole("link", { name: "Done" }).click();
    await ways(page).filter({ hasText: "Recovery code" }).waitFor();
    await counted(ways(page), 2);
    assert.equal((await page.getByText("opens only").count()) + (await page.getByText("signs in only").count()), 0);

    await stale(tab).waitFor();
    await shown(tab, "rotate-elsewhere");
    await openAnew(tab);
    await to(tab, "Notes");
    await note(tab, "Three").click();
    await tab.getByText("of Three").waitFor();
    await device.context.setOffline(false);
    await device.page.evaluate(() => dispatchEvent(new Event("focus")));
    await stale(device.page).waitFor();
    await openAnew(device.page);
    await synced(device.page);
    await page.bringToFront();
    await page.evaluate(() => dispatchEvent(new Event("focus")));
    await to(page, "Notes");
    await note(page, "Two").click();
    await page.getByText("written on a train").waitFor();

    // The copy that the browser kept is of the new key, and the history of before is there.
    await lock(page);
    await unlock(page);
    await isOpen(page);
    await to(page, "Notes");
    await note(page, "Two").click();
    await page.getByRole("button", { name: "More" }).click();
    await page.getByRole("link", { name: "History" }).click();
    await page.getByRole("heading", { name: "From then to now" }).waitFor();
    await page.getByText("of Two").first().waitFor();

    // The paper of before lets nobody in, the new one does.
    await tab.close();
    await signOut(page);
    await signIn(page, "Recovery code");
    await page.getByLabel(/24 words/).fill(old.join(" "));
    await button(page, "Sign in").click();
    await alert(page, "does not answer");
    await page.getByLabel(/24 words/).fill(words.join(" "));
    await button(page, "Sign in").click();
    await isOpen(page);
    await signOut(page);
    await signIn(page);
    await button(page, "Sign in with a passkey").click();
    await page.getByRole("alert").waitFor();
    await device.context.close();
    await context.close();
  },

  async "a change of the key that is left, or that nobody confirms, changes nothing"() {
    const guest = await open();
    const { page } = guest;
    await page.clock.install();
    await signUpWithPassword(page, aName());
    const words = await writeDown(page);
    await toRotation(page);
    await keepPassword(page);
    await button(page, "Go on to the new recovery code").click();
    await page.getByText("Nothing has changed yet.").waitFor();
    await page.clock.fastForward(6 * 60_000);
    await writeDown(page, false, () => page.getByRole("dialog", { name: "Is it you?" }).waitFor());
    await button(page, "Change nothing").click();
    await alert(page, "Nothing was changed.");
    await shown(page, "rotate-not-confirmed");
    await page.getByRole("link", { name: "Leave it" }).click();
    await ways(page).filter({ hasText: "Recovery code" }).waitFor();
    await counted(ways(page), 2);
    await signOut(page);
    await signIn(page, "Recovery code");
    await page.getByLabel(/24 words/).fill(words.join(" "));
    await button(page, "Sign in").click();
    await isOpen(page);
    await close(guest);
  },
});
