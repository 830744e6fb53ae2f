// Ways in are added, replaced and removed, sessions end; each of it only after its owner showed who is here.
import assert from "node:assert/strict";
import { authenticator } from "./authenticator.mjs";
import { BASE, close, counted, enter, go, open, run, shown } from "./lib.mjs";
import { alert, aName, button, group, isLocked, isOpen, isOut, lock, PASSWORD, signIn, signOut, signUpWithPassword, writeDown } from "./person.mjs";

const ways = (page) => page.getByRole("list", { name: "Ways in" }).getByRole("listitem");
const way = (page, name) => ways(page).filter({ has: page.getByRole("heading", { name }) });
/** As if the last confirmation were long ago: the page asks again, and so does the server. */
const forgetConfirmation = (page) => page.clock.fastForward(6 * 60_000);

async function remove(page, name) {
  await button(page, `Remove ${name}`).click();
  await page.getByRole("dialog").getByRole("button", { name: "Remove it" }).click();
}

await run({
  async "a passkey is added, opens, is removed, and opens no more"() {
    const guest = await open();
    const { page } = guest;
    await authenticator(page);
    const name = aName();
    await signUpWithPassword(page, name);
    await writeDown(page);
    await way(page, "Password").waitFor();
    await way(page, "Recovery code").waitFor();
    await button(page, "Add a way in").click();
    await shown(page, "ways-add");
    await button(page, "Add a passkey").click();
    await way(page, "Passkey").waitFor();
    await counted(ways(page), 3);
    assert.equal(await page.getByText("opens only").count() + await page.getByText("signs in only").count(), 0);
    await shown(page, "ways-three");

    await lock(page);
    await group(page).getByRole("button", { name: "Passkey" }).click();
    await button(page, "Open with a passkey").click();
    await page.getByRole("heading", { level: 1, name: "Settings" }).waitFor();
    await shown(page, "account-settings");
    await isOpen(page);
    await way(page, "Passkey").getByText("you came by it").waitFor();

    await button(page, "Remove Passkey").click();
    await shown(page, "ways-remove");
    await page.getByRole("dialog").getByRole("button", { name: "Remove it" }).click();
    await way(page, "Passkey").waitFor({ state: "detached" });
    await signOut(page);
    await signIn(page);
    await button(page, "Sign in with a passkey").click();
    await page.getByRole("alert").waitFor();
    await shown(page, "account-removed-passkey");
    await page.goto(`${BASE}/sign-in`);
    await group(page).getByRole("button", { name: "Password" }).click();
    await page.getByLabel("Name").fill(name);
    await page.getByLabel("Password", { exact: true }).fill(PASSWORD);
    await button(page, "Sign in").click();
    await isOpen(page);
    await close(guest);
  },

  async "the last way stays, and a new recovery code takes the place of the old one"() {
    const guest = await open();
    const { page } = guest;
    const name = aName();
    await signUpWithPassword(page, name);
    const old = await writeDown(page);
    await button(page, "Make a new one").click();
    const words = await writeDown(page);
    assert.notDeepEqual(words, old);
    await way(page, "Recovery code").waitFor();
    await counted(ways(page), 2);
    await remove(page, "Password");
    await way(page, "Password").waitFor({ state: "detached" });
    await page.getByText("This is the only way into your vault.").waitFor();
    assert.equal(await page.getByRole("button", { name: /^Remove/ }).count(), 0, "the last way has a button");
    await shown(page, "ways-last");
    await signOut(page);
    await signIn(page, "Recovery code");
    await page.getByLabel(/24 words/).fill(old.join(" "));
    await button(page, "Sign in").click();
    await alert(page, "does not answer");
    await page.getByLabel(/24 words/).fill(words.join(" "));
    await button(page, "Sign in").click();
    await isOpen(page);
    await close(guest);
  },

  async "who is here is asked again before a way in is added or another session ends"() {
    const guest = await open();
    const { page } = guest;
    await page.clock.install();
    const name = aName();
    await signUpWithPassword(page, name);
    await writeDown(page);
    const other = await open();
    await signIn(other.page, "Password");
    await other.page.getByLabel("Name").fill(name);
    await other.page.getByLabel("Password", { exact: true }).fill(PASSWORD);
    await button(other.page, "Sign in").click();
    await isOpen(other.page);

    await page.reload();
    await isLocked(page);
    await page.getByLabel("Password", { exact: true }).fill(PASSWORD);
    await button(page, "Open the vault").click();
    await isOpen(page);
    await forgetConfirmation(page);
    await page.getByRole("button", { name: /^End / }).click();
    await page.getByRole("dialog", { name: "Is it you?" }).waitFor();
    await shown(page, "account-confirm");
    await button(page, "Change nothing").click();
    await alert(page, "Nothing was changed.");
    await page.getByRole("button", { name: /^End / }).click();
    await page.getByRole("dialog").getByLabel("Password", { exact: true }).fill("wrong password");
    await button(page, "Confirm").click();
    await page.getByRole("dialog").getByText(/password is wrong/).waitFor();
    await page.getByRole("dialog").getByLabel("Password", { exact: true }).fill(PASSWORD);
    await button(page, "Confirm").click();
    await page.getByRole("dialog").waitFor({ state: "detached" });
    await page.getByRole("button", { name: /^End / }).waitFor({ state: "detached" });
    await page.getByText("What happened").click();
    await page.getByRole("cell", { name: "The account was made, by password" }).waitFor();
    await page.getByRole("cell", { name: "A session was ended" }).waitFor();
    await shown(page, "ways-happened");
    await other.page.reload();
    await isOut(other.page);
    await close(other);
    await close(guest);
  },

  async "it locks by itself when nobody did anything"() {
    const guest = await open();
    const { page } = guest;
    await page.clock.install();
    await signUpWithPassword(page, aName());
    await writeDown(page);
    await page.getByRole("link", { name: "Settings" }).click();
    await page.getByLabel("Lock it when nobody did anything for").selectOption("1");
    await page.clock.fastForward(30_000);
    await page.keyboard.press("Shift");
    await page.clock.fastForward(45_000);
    await page.getByText("open here").waitFor();
    await page.clock.fastForward(30_000);
    await isLocked(page);
    await close(guest);
  },

  async "an owner's account is the owner, also where no link was opened"() {
    const owner = await enter();
    const { page } = owner;
    await go(page, "/", "Overview");
    await shown(page, "owner-without-vault");
    await page.getByRole("link", { name: "Create it" }).click();
    await page.getByRole("heading", { name: "Create your vault" }).waitFor();
    await shown(page, "owner-create-vault");
    const name = aName();
    await page.getByLabel("Name").fill(name);
    await group(page).getByRole("button", { name: "Password" }).click();
    await page.getByLabel("Password", { exact: true }).fill(PASSWORD);
    await page.getByLabel("The same again").fill(PASSWORD);
    await button(page, "Create the vault").click();
    await writeDown(page);
    await shown(page, "owner-with-vault");
    await signOut(page);
    await signIn(page, "Password");
    await page.getByLabel("Name").fill(name);
    await page.getByLabel("Password", { exact: true }).fill(PASSWORD);
    await button(page, "Sign in").click();
    await isOpen(page);
    await page.getByRole("link", { name: "Live calls" }).click();
    await page.getByRole("heading", { level: 1, name: "Live calls" }).waitFor();

    await page.getByRole("link", { name: "Settings" }).click();
    await page.getByText("Signing in to it opens the agents' side").waitFor();
    await shown(page, "owner-joined");
    await button(page, "Keep them apart").click();
    await page.getByText("Signing in to it does not open the agents' side").waitFor();
    await button(page, "Make it the owner's").click();
    await page.getByText("Signing in to it opens the agents' side").waitFor();
    await close(owner);

    const other = await open();
    await signUpWithPassword(other.page, aName());
    await writeDown(other.page);
    await other.page.reload();
    await isLocked(other.page);
    await other.page.getByLabel("Password", { exact: true }).fill(PASSWORD);
    await button(other.page, "Open the vault").click();
    await isOpen(other.page);
    assert.equal(await other.page.getByRole("link", { name: "Live calls" }).count(), 0, "a stranger is the owner");
    await close(other);
  },
});
