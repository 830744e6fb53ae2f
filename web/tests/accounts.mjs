// Each way to sign in and to open a vault, from end to end: sign-up, lock, unlock, sign-out and in again.
import assert from "node:assert/strict";
import { authenticator } from "./authenticator.mjs";
import { BASE, close, open, run, shown } from "./lib.mjs";
import { alert, aName, button, group, isForgotten, isLocked, isOpen, isOut, listen, lock, PASSWORD, signIn, signOut, signUpWithPassword, writeDown } from "./person.mjs";
import { ethereumWallet, PHRASE, solanaWallet } from "./wallets.mjs";

await run({
  async "a browser that nobody signed in at is told what there is"() {
    const guest = await open();
    await guest.page.goto(`${BASE}/`);
    await button(guest.page, "Create a vault with a passkey").waitFor();
    await shown(guest.page, "account-welcome");
    await guest.page.getByLabel("Name").fill("ada");
    await group(guest.page).getByRole("button", { name: "Password" }).click();
    await shown(guest.page, "account-welcome-password");
    await group(guest.page).getByRole("button", { name: "Wallet" }).click();
    await guest.page.getByText("No wallet answers in this browser.").waitFor();
    await shown(guest.page, "account-welcome-no-wallet");
    await group(guest.page).getByRole("button", { name: "Seed phrase" }).click();
    await shown(guest.page, "account-welcome-seed");
    await guest.page.getByRole("link", { name: "Sign in" }).click();
    await guest.page.getByRole("heading", { name: "Welcome back." }).waitFor();
    await shown(guest.page, "account-sign-in");
    await close(guest);
  },

  async "a passkey makes a vault in one tap, and opens it in one"() {
    const guest = await open();
    const { page } = guest;
    const sent = listen(guest.context);
    const token = await authenticator(page);
    await page.goto(`${BASE}/`);
    await button(page, "Create a vault with a passkey").click();
    const words = await writeDown(page, true);
    await shown(page, "account-ways");
    assert.equal((await token.credentials()).length, 1);
    await page.reload();
    await isLocked(page);
    await shown(page, "account-locked");
    const took = await page.evaluate(() => new Promise((done) => {
      // From the answer of the authenticator, which is the tap, to the view of the open vault.
      const get = navigator.credentials.get.bind(navigator.credentials);
      let began = 0;
      navigator.credentials.get = async (asked) => { const made = await get(asked); began = performance.now(); return made; };
      new MutationObserver((_, seen) => {
        if (!document.querySelector('nav[aria-label="Views"]')) return;
        seen.disconnect();
        done(performance.now() - began);
      }).observe(document.body, { childList: true, subtree: true, characterData: true });
      [...document.querySelectorAll("button")].find((one) => /Open with a passkey/.test(one.textContent)).click();
    }));
    await isOpen(page);
    console.log(`open ${Math.round(took)} ms after the passkey's tap`);
    assert.ok(took < 2000, `${took} ms`);
    await signOut(page);
    await signIn(page);
    await button(page, "Sign in with a passkey").click();
    await isOpen(page);
    await isForgotten(page, [words.slice(0, 3).join(" "), words.slice(-3).join(" ")]);
    assert.equal(sent.some((one) => /"results"\s*:/.test(one)), false, "what the PRF gave was sent");
    assert.equal(sent.some((one) => one.includes(words.slice(0, 3).join(" "))), false, "the recovery code was sent");
    await close(guest);
  },

  async "a passkey whose owner is not recognised, and then one that is"() {
    const guest = await open();
    const { page } = guest;
    const token = await authenticator(page);
    await token.mistake();
    await page.goto(`${BASE}/`);
    await button(page, "Create a vault with a passkey").click();
    await alert(page, "No passkey was chosen.");
    await shown(page, "account-no-tap");
    await token.remove();
    await authenticator(page);
    await button(page, "Create a vault with a passkey").click();
    await writeDown(page);
    await close(guest);
  },

  async "an authenticator without PRF is told so, and there is a way on"() {
    const guest = await open();
    const { page } = guest;
    await authenticator(page, "no prf");
    await page.goto(`${BASE}/`);
    await page.getByLabel("Name").fill(aName());
    await button(page, "Create a vault with a passkey").click();
    await alert(page, "This authenticator makes passkeys that sign in, but cannot open a vault: it has no PRF.");
    await shown(page, "account-no-prf");
    await group(page).getByRole("button", { name: "Password" }).click();
    await page.getByLabel("Password", { exact: true }).fill(PASSWORD);
    await page.getByLabel("The same again").fill(PASSWORD);
    await button(page, "Create the vault").click();
    await writeDown(page);
    await close(guest);
  },

  async "a password makes and opens a vault, and no server sees it"() {
    const guest = await open();
    const { page } = guest;
    const sent = listen(guest.context);
    const name = aName();
    await signUpWithPassword(page, name);
    const words = await writeDown(page);
    await lock(page);
    await page.getByLabel("Password", { exact: true }).fill("another password");
    await button(page, "Open the vault").click();
    await alert(page, /password is wrong/);
    await shown(page, "account-wrong-password");
    await page.getByLabel("Password", { exact: true }).fill(PASSWORD);
    const began = Date.now();
    await button(page, "Open the vault").click();
    await page.getByRole("heading", { level: 1, name: "Settings" }).waitFor();
    const took = Date.now() - began;
    console.log(`open ${took} ms after the password`);
    assert.ok(took < 20_000, `${took} ms`);
    await signOut(page);
    await signIn(page, "Password");
    await page.getByLabel("Name").fill(name);
    await page.getByLabel("Password", { exact: true }).fill(PASSWORD);
    await button(page, "Sign in").click();
    await isOpen(page);
    await signOut(page);
    await signIn(page, "Password");
    await page.getByLabel("Name").fill("nobody-has-this");
    await page.getByLabel("Password", { exact: true }).fill(PASSWORD);
    await button(page, "Sign in").click();
    await alert(page, /password is wrong, or there is no such account/);
    await isForgotten(page, [PASSWORD, words.slice(0, 3).join(" ")]);
    assert.equal(sent.some((one) => one.includes(PASSWORD) || one.includes(encodeURIComponent(PASSWORD))), false, "the password was sent");

    await signUpWithPassword(page, name);
    await alert(page, /exists|already/i);
    await shown(page, "account-name-taken");
    await close(guest);
  },

  async "the recovery code signs in and opens, on a browser that knows nothing"() {
    const first = await open();
    await signUpWithPassword(first.page, aName());
    const words = await writeDown(first.page);
    await close(first);
    const guest = await open();
    await signIn(guest.page, "Recovery code");
    await guest.page.getByLabel(/24 words/).fill(words.slice(0, 23).join(" "));
    await button(guest.page, "Sign in").click();
    await alert(guest.page, "A recovery code has 24 words, this has 23.");
    await shown(guest.page, "account-recovery-short");
    await guest.page.getByLabel(/24 words/).fill(`  ${words.join("  ").toUpperCase()}\n`);
    await button(guest.page, "Sign in").click();
    await isOpen(guest.page);
    await isForgotten(guest.page, [words.slice(0, 3).join(" ")]);
    await close(guest);
  },

  async "an Ethereum wallet signs in and opens; declined and changed signatures are told"() {
    const guest = await open();
    const { page } = guest;
    const sent = listen(guest.context);
    const wallet = await ethereumWallet(page, { phrase: "legal winner thank year wave sausage worth useful legal winner thank yellow" });
    await page.goto(`${BASE}/`);
    await group(page).getByRole("button", { name: "Wallet" }).click();
    wallet.refuses = true;
    await button(page, "Create a vault with Robin's wallet Ethereum").click();
    await alert(page, "Robin's wallet was told not to sign.");
    await shown(page, "account-wallet-declined");
    [wallet.refuses, wallet.signs] = [false, "hedged"];
    await button(page, "Create a vault with Robin's wallet Ethereum").click();
    await alert(page, /signs the same request differently each time and cannot open a vault/);
    await shown(page, "account-wallet-unstable");
    wallet.signs = "other";
    await button(page, "Create a vault with Robin's wallet Ethereum").click();
    await alert(page, "Another Ethereum wallet signed, or it signed something else.");
    wallet.signs = "same";
    wallet.asked.length = 0;
    await button(page, "Create a vault with Robin's wallet Ethereum").click();
    await writeDown(page);
    assert.deepEqual(wallet.asked, ["eth_requestAccounts", "eth_chainId", "personal_sign", "eth_signTypedData_v4", "eth_signTypedData_v4"]);
    await lock(page);
    wallet.asked.length = 0;
    wallet.signs = "hedged";
    await button(page, "Open with Robin's wallet Ethereum").click();
    await alert(page, /signs the same request otherwise than when it was added/);
    await shown(page, "account-wallet-changed");
    wallet.signs = "same";
    await button(page, "Open with Robin's wallet Ethereum").click();
    await page.getByRole("heading", { level: 1, name: "Settings" }).waitFor();
    await signOut(page);
    await signIn(page, "Wallet");
    wallet.signs = "hedged";
    await button(page, "Sign in with Robin's wallet Ethereum").click();
    await isLocked(page);
    await alert(page, /signs the same request otherwise than when it was added/);
    wallet.signs = "same";
    await button(page, "Open with Robin's wallet Ethereum").click();
    await isOpen(page);
    const typed = sent.filter((one) => one.includes("KeyDerivation"));
    assert.deepEqual(typed, [], "the key's request was sent to a server");
    await close(guest);
  },

  async "a Solana wallet signs in and opens"() {
    const guest = await open();
    const { page } = guest;
    const wallet = await solanaWallet(page);
    await page.goto(`${BASE}/`);
    await group(page).getByRole("button", { name: "Wallet" }).click();
    await shown(page, "account-welcome-wallet");
    await button(page, "Create a vault with Sol's wallet Solana").click();
    await writeDown(page);
    assert.match(wallet.asked[0], /wants you to sign in with your Solana account:/);
    assert.match(wallet.asked[1], /^Symbolon: Open a vault\n/);
    assert.equal(wallet.asked[1], wallet.asked[2]);
    await lock(page);
    wallet.wrong = true;
    await button(page, "Open with Sol's wallet Solana").click();
    await page.getByRole("alert").waitFor();
    wallet.wrong = false;
    await button(page, "Open with Sol's wallet Solana").click();
    await page.getByRole("heading", { level: 1, name: "Settings" }).waitFor();
    await close(guest);
  },

  async "a seed phrase opens, and so does the wallet that has it"() {
    const guest = await open();
    const { page } = guest;
    await page.goto(`${BASE}/`);
    await group(page).getByRole("button", { name: "Seed phrase" }).click();
    await page.getByLabel(/12 to 24 words/).fill(PHRASE.replace("junk", "jump"));
    await button(page, "Create the vault").click();
    await alert(page, /do not belong together/);
    await page.getByLabel(/12 to 24 words/).fill(PHRASE);
    await button(page, "Create the vault").click();
    await writeDown(page);
    await isForgotten(page, ["test test junk"]);
    await lock(page);
    await group(page).getByRole("button", { name: "Seed phrase" }).click();
    await page.getByLabel(/12 to 24 words/).fill(PHRASE);
    await button(page, "Open the vault").click();
    await page.getByRole("heading", { level: 1, name: "Settings" }).waitFor();
    await close(guest);

    const other = await open();
    await ethereumWallet(other.page, { phrase: PHRASE });
    await signIn(other.page, "Wallet");
    await button(other.page, "Sign in with Robin's wallet Ethereum").click();
    await isOpen(other.page);
    await close(other);
  },

  async "two tabs: a lock is each tab's own, a sign-out is everybody's"() {
    const guest = await open();
    const { page } = guest;
    await signUpWithPassword(page, aName());
    await writeDown(page);
    const second = await guest.context.newPage();
    second.setDefaultTimeout(15_000);
    await second.goto(`${BASE}/`);
    await isLocked(second);
    await second.getByLabel("Password", { exact: true }).fill(PASSWORD);
    await button(second, "Open the vault").click();
    await isOpen(second);
    // The session is a new one since then, with another word: the first tab finds that out by itself.
    await button(page, "Make a new one").click();
    await writeDown(page);
    await second.getByRole("button", { name: "Lock" }).click();
    await isLocked(second);
    await page.reload();
    await isLocked(page);
    await button(second, "Sign out here").click();
    await isOut(second);
    await page.getByLabel("Password", { exact: true }).fill(PASSWORD);
    await button(page, "Open the vault").click();
    await isOut(page);
    await close(guest);
  },
});
