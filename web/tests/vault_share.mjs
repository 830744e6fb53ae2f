// Items of each kind, and what is shared: with another account, and by a link that ends.
import assert from "node:assert/strict";
import { close, open, run, shown } from "./lib.mjs";
import { joined, synced, to, write } from "./vault_lib.mjs";

async function item(page, kind, fill) {
  await to(page, "Items");
  await page.getByRole("link", { name: "New item" }).first().click();
  await page.getByRole("link", { name: new RegExp(`^${kind}`) }).click();
  await fill();
  await page.getByRole("button", { name: "Save", exact: true }).click();
  await page.getByRole("button", { name: "Change it" }).waitFor();
}

/** Makes a link of the note that is open. */
async function link(page, { views = "Once" } = {}) {
  await page.getByRole("button", { name: "Share" }).click();
  await page.getByLabel("By a link").check();
  await page.getByLabel("It opens").selectOption({ label: views });
  await page.getByRole("button", { name: "Make a link" }).click();
  const made = (await page.locator(".made").textContent()).trim();
  assert.match(made, /\/s\/[0-9a-f]{32}#[\w-]{43}$/);
  return made;
}

/** Opens a link as somebody without an account; gives the page. */
async function follow(address) {
  const guest = await open();
  await guest.page.goto(address);
  await guest.page.getByRole("heading", { name: "Somebody shared something with you" }).waitFor();
  assert.equal(new URL(guest.page.url()).hash, "", "the key stays in the address");
  await guest.page.getByRole("button", { name: "Open it" }).click();
  return guest;
}

await run({
  async "logins, keys and profiles are made, changed, masked and deleted"() {
    const person = await joined("emma");
    const { page } = person;
    await to(page, "Items");
    await page.getByRole("heading", { name: "Nothing is kept here yet" }).waitFor();
    await shown(page, "items-empty");
    await page.getByRole("link", { name: "New item" }).first().click();
    await page.getByRole("heading", { name: "New item" }).waitFor();
    await shown(page, "item-new");
    await item(page, "Login", async () => {
      await page.getByLabel("Name", { exact: true }).fill("Bank");
      await page.getByLabel("User name").fill("emma");
      await page.getByRole("button", { name: "Make one" }).click();
      assert.match(await page.getByLabel("Password", { exact: true }).inputValue(), /^[\w-]{24}$/);
      await page.getByLabel("Where it is used").fill("https://bank.example/login");
      await page.getByRole("button", { name: "Add a field" }).click();
      await page.getByLabel("Name of field 1").fill("PIN");
      await page.getByLabel("How field 1 is shown").selectOption("hidden");
      await page.getByLabel("Value of field 1").fill("4711");
      await shown(page, "item-form");
    });
    assert.equal((await page.content()).includes("4711"), false, "a masked field is in the page");
    await shown(page, "item");
    await page.getByRole("button", { name: "Show the PIN" }).click();
    await page.getByText("4711").waitFor();
    await page.getByRole("button", { name: "Hide the PIN" }).click();
    await page.getByText("4711").waitFor({ state: "detached" });

    await page.getByRole("button", { name: "Change it" }).click();
    await page.getByLabel("User name").fill("emma2");
    await shown(page, "item-edit");
    await page.getByRole("button", { name: "Save", exact: true }).click();
    await page.getByText("emma2").waitFor();
    await page.getByRole("button", { name: "Show the PIN" }).click();
    await page.getByText("4711").waitFor();

    await item(page, "API key", async () => {
      await page.getByLabel("Name", { exact: true }).fill("CI");
      await page.getByLabel("Service").fill("Forge");
      await page.getByLabel("Key", { exact: true }).fill("key-of-the-forge");
      await page.getByLabel("Ends on").fill("2031-05-01");
    });
    await page.getByText("1 May 2031").waitFor();
    await item(page, "Profile", async () => {
      await page.getByLabel("Name", { exact: true }).fill("Emma");
      await page.getByLabel("E-mail").fill("emma@mail.example");
      await page.getByLabel("About").fill("I **bake**.");
    });
    await page.locator("strong", { hasText: "bake" }).waitFor();
    await to(page, "Items");
    await page.getByRole("link", { name: /Bank/ }).waitFor();
    await shown(page, "items");
    await page.getByLabel("Search your items").fill("key-of-the-forge");
    await page.getByRole("heading", { name: "Nothing found" }).waitFor();
    await page.getByLabel("Search your items").fill("forg");
    await page.getByRole("link", { name: /CI/ }).click();
    await page.getByRole("button", { name: "Put it into the trash" }).click();
    await page.getByRole("link", { name: "Trash" }).click();
    await page.getByLabel("Search your items").fill("");
    await page.getByRole("link", { name: /CI/ }).click();
    await page.getByRole("button", { name: "Erase it for good" }).click();
    await page.getByRole("heading", { level: 1, name: "Items" }).waitFor();
    await close(person);
  },

  async "a note goes to another account, whose fingerprint is shown to both"() {
    const [from, to_] = [await joined("frida"), await joined("gustav")];
    await to(to_.page, "Shared");
    await to_.page.getByRole("heading", { name: "Nothing was shared with you" }).waitFor();
    await shown(to_.page, "shared-empty");
    const print = (await to_.page.locator(".print").textContent()).trim();
    await write(from.page, "For Gustav", "between the two of us");
    await from.page.getByRole("button", { name: "Share" }).click();
    await from.page.getByLabel("Their name here").fill("nobody-of-this-name");
    await from.page.getByRole("button", { name: "Find their key" }).click();
    await from.page.getByRole("alert").waitFor();
    await from.page.getByLabel("Their name here").fill("gustav");
    await from.page.getByRole("button", { name: "Find their key" }).click();
    await from.page.locator(".print").waitFor();
    assert.equal((await from.page.locator(".print").textContent()).trim(), print);
    await shown(from.page, "share-account");
    await from.page.getByRole("button", { name: "It is the same: send" }).click();
    await from.page.getByText("Sealed and sent to gustav.").waitFor();
    await from.page.getByRole("button", { name: "Close" }).click();

    await to(to_.page, "Notes");
    await to(to_.page, "Shared");
    await to_.page.getByRole("button", { name: "Look at it" }).click();
    await to_.page.getByText("between the two of us").waitFor();
    await shown(to_.page, "shared");
    await to_.page.getByRole("button", { name: "Take it into my vault" }).click();
    await to_.page.waitForFunction(() => document.querySelector("input.title")?.value === "For Gustav");
    await synced(to_.page);
    await close(from);
    await close(to_);
  },

  async "a link opens as often as it may, until it is taken back, and with its own key alone"() {
    const person = await joined("hedda");
    const { page } = person;
    await write(page, "Behind a link", "for **whoever** has it");
    await page.getByRole("button", { name: "Share" }).click();
    await shown(page, "share-dialog");
    await page.getByRole("button", { name: "Close" }).click();

    // Once, and not again.
    const once = await link(page);
    await shown(page, "share-link-made");
    await page.getByRole("button", { name: "Close" }).click();
    const first = await follow(once);
    await first.page.locator("strong", { hasText: "whoever" }).waitFor();
    await shown(first.page, "share-open");
    await close(first);
    const second = await follow(once);
    await second.page.getByRole("heading", { name: "There is nothing behind this link" }).waitFor();
    await shown(second.page, "share-over");
    await close(second);

    // A key that is cut, a key of another link, and damage are told apart; the first costs no view.
    const often = await link(page, { views: "5 times" });
    await page.getByRole("button", { name: "Close" }).click();
    const other = await link(page);
    await page.getByRole("button", { name: "Close" }).click();
    const says = async (address, heading, spoil) => {
      const guest = await open();
      if (spoil) {
        await guest.page.route("**/api/shares/*", async (route) => {
          const answer = await route.fetch();
          const told = await answer.json();
          const bytes = Buffer.from(told.sealed, "base64url");
          bytes[bytes.length - 1] ^= 1;
          await route.fulfill({ response: answer, json: { ...told, sealed: bytes.toString("base64url") } });
        });
      }
      await guest.page.goto(address);
      await guest.page.getByRole("button", { name: "Open it" }).click();
      await guest.page.getByRole("heading", { name: heading }).waitFor();
      await close(guest);
    };
    await says(often.slice(0, -3), "The link is not whole");
    await says(often.replace(/#.*/, new URL(other).hash), "This is the key of another link");
    await says(often, "What the server kept is damaged", true);
    const good = await follow(often);
    await good.page.getByText("2 times more").waitFor();
    await close(good);

    // Taken back.
    await to(page, "Shared");
    const rows = page.getByRole("listitem").filter({ hasText: "Behind a link" });
    await rows.first().waitFor();
    assert.equal(await rows.count(), 3);
    await shown(page, "shared-made");
    const open_ = rows.filter({ hasText: "of 5" });
    await open_.getByRole("button", { name: /Take it back/ }).click();
    await open_.getByText(/taken back/).waitFor();
    const late = await follow(often);
    await late.page.getByRole("heading", { name: "There is nothing behind this link" }).waitFor();
    await close(late);

    // Over by its time, which the server keeps: a day is asked for, and some seconds are sent.
    await to(page, "Notes");
    await page.getByRole("link").filter({ has: page.locator("strong", { hasText: "Behind a link" }) }).click();
    const ends = Date.now() + 10_000;
    await page.route("**/api/shares", (route) => {
      const asked = route.request().postDataJSON();
      return route.continue({ postData: JSON.stringify({ ...asked, expires_unix_ms: ends }) });
    });
    const short = await link(page, { views: "As often as asked" });
    await page.getByRole("button", { name: "Close" }).click();
    const early = await follow(short);
    await early.page.locator("strong", { hasText: "whoever" }).waitFor();
    await close(early);
    await page.waitForTimeout(Math.max(0, ends - Date.now()) + 500);
    const over = await follow(short);
    await over.page.getByRole("heading", { name: "There is nothing behind this link" }).waitFor();
    await close(over);
    await close(person);
  },
});
