// Notes: written, found, linked, brought back; two tabs at once; offline; the trash.
import assert from "node:assert/strict";
import { BASE, close, run, shown } from "./lib.mjs";
import { edit, joined, record, synced, to, unlock, write } from "./vault_lib.mjs";

const note = (page, title) => page.getByRole("region", { name: "Notes" }).getByRole("link").filter({ has: page.locator("strong", { hasText: title }) });

await run({
  async "a note is written, linked, ticked, found, and its history is walked back"() {
    const person = await joined("amelie");
    const { page } = person;
    await to(page, "Notes");
    await page.getByRole("heading", { name: "Your first note" }).waitFor();
    await shown(page, "notes-empty");
    await write(page, "Groceries", "# Saturday\n\n- [ ] Äpfel\n- [x] bread\n\nSee [[Recipes]] and `code`.\n\n| what | how much |\n|---|---|\n| flour | 1 kg |\n\n<script>alert(1)</script> ![x](https://elsewhere.example/p.png)");
    await shown(page, "note-write");
    await page.keyboard.press("Control+Enter");
    const sheet = page.getByRole("region", { name: "The note" });
    await sheet.getByRole("heading", { name: "Saturday" }).waitFor();
    assert.equal(await page.locator("script[src=''], .prose script, .prose img").count(), 0, "HTML of a note became elements");
    await sheet.getByText("<script>alert(1)</script>").waitFor();
    await sheet.getByRole("checkbox").first().click();
    await synced(page);
    await page.getByRole("button", { name: "Write", exact: true }).click();
    assert.match(await page.getByLabel("Text, in Markdown").inputValue(), /- \[x\] Äpfel/);
    await page.getByRole("button", { name: "Read" }).click();
    await shown(page, "note-read");

    // A link to a note that is not there makes it; a rename is followed.
    await sheet.getByRole("button", { name: "Recipes" }).click();
    await page.waitForFunction(() => document.querySelector("input.title")?.value === "Recipes");
    await page.getByRole("heading", { name: "Notes that lead here" }).waitFor();
    await page.getByLabel("Title").fill("Cookbook");
    await page.keyboard.press("Control+s");
    await synced(page);
    await sheet.getByRole("link", { name: "Groceries" }).click();
    await sheet.getByRole("link", { name: "Cookbook" }).waitFor();

    // Search as one types, without case and accents; the place of the hit is marked.
    await page.keyboard.press("/");
    await page.keyboard.type("APFEL");
    await note(page, "Groceries").waitFor();
    assert.equal(await page.locator("mark").first().textContent(), "Äpfel");
    await shown(page, "notes-found");
    await page.getByLabel("Search your notes").fill("nothing like it");
    await page.getByRole("heading", { name: "Nothing found" }).waitFor();
    await shown(page, "notes-none");
    await page.getByLabel("Search your notes").fill("");

    // Tags, pins, folders.
    await note(page, "Groceries").click();
    await page.getByLabel("Add a tag").fill("home");
    await page.keyboard.press("Enter");
    await page.getByRole("button", { name: "Take the tag home off" }).waitFor();
    await page.getByRole("button", { name: "Pin", exact: true }).click();
    await page.getByRole("button", { name: "Unpin" }).waitFor();
    await page.getByRole("button", { name: /All notes/ }).click();
    await page.getByRole("button", { name: "New folder" }).click();
    await page.getByLabel("Name of the folder").fill("Kitchen");
    await page.getByRole("button", { name: "Make it" }).click();
    await page.getByRole("heading", { name: "No note here" }).waitFor();
    await shown(page, "notes-folder-empty");
    await page.getByRole("button", { name: /Kitchen/ }).click();
    await page.getByRole("navigation", { name: "Folders and tags" }).getByRole("link", { name: /All notes/ }).click();
    await note(page, "Groceries").click();
    await page.getByRole("button", { name: "More" }).click();
    await page.getByLabel("Folder", { exact: true }).selectOption({ label: "Kitchen" });
    await page.getByRole("button", { name: /All notes/ }).click();
    await shown(page, "notes-places");
    await page.getByRole("navigation", { name: "Folders and tags" }).getByRole("link", { name: "Kitchen" }).click();
    await note(page, "Groceries").click();

    // History: every revision, what changed, and one that comes back.
    await edit(page, "all of it is gone");
    await page.keyboard.press("Control+s");
    await synced(page);
    if (!(await page.getByRole("link", { name: "History" }).isVisible())) await page.getByRole("button", { name: "More" }).click();
    await page.getByRole("link", { name: "History" }).click();
    await page.getByRole("heading", { name: "From then to now" }).waitFor();
    await page.getByText("all of it is gone").waitFor();
    await page.getByText("# Saturday").waitFor();
    await shown(page, "note-history");
    await page.getByRole("button", { name: "Restore this version" }).click();
    await page.getByRole("region", { name: "The note" }).getByRole("heading", { name: "Saturday" }).waitFor();
    await synced(page);

    // A template, with its words filled in; the note of the day, twice the same.
    await write(page, "Meeting", "# {{title}}\n\nOn {{date}}");
    await page.getByRole("button", { name: "More" }).click();
    await page.getByLabel(/A template: new notes/).check();
    await to(page, "Notes");
    await page.getByRole("button", { name: "New note" }).first().click();
    await page.getByLabel("Title").fill("Board");
    await page.getByRole("button", { name: "Meeting", exact: true }).click();
    await sheet.getByRole("heading", { name: "Board", level: 2 }).waitFor();
    await sheet.getByText(/On \d{4}-\d\d-\d\d/).waitFor();
    const today = await page.evaluate(() => [new Date().getFullYear(), new Date().getMonth() + 1, new Date().getDate()].map((n) => String(n).padStart(2, "0")).join("-"));
    for (let twice = 0; twice < 2; twice++) {
      await page.getByRole("button", { name: "Today" }).click();
      await page.waitForFunction((day) => document.querySelector("input.title")?.value === day, today);
    }
    assert.equal(await note(page, today).count(), 1);
    await note(page, "Groceries").click();

    // The trash, and out of it; then for good.
    await page.getByRole("button", { name: "More" }).click();
    await page.getByRole("button", { name: "Put it into the trash" }).click();
    await to(page, "Notes");
    await page.getByRole("button", { name: /All notes/ }).click();
    await page.getByRole("link", { name: /Trash/ }).click();
    await page.getByRole("button", { name: "Restore Groceries" }).waitFor();
    await shown(page, "notes-trash");
    await page.getByRole("button", { name: "Restore Groceries" }).click();
    await page.getByRole("heading", { name: "The trash is empty" }).waitFor();
    await close(person);
  },

  async "two tabs write one note at once, and both texts are kept"() {
    const person = await joined("bruno");
    const { context, page: a } = person;
    await write(a, "Plan", "first");
    const b = await context.newPage();
    await b.goto(`${BASE}/notes`);
    await unlock(b);
    await note(b, "Plan").click();
    await edit(b, "first, and what B wrote");
    // B has not saved yet: it is held back while A saves.
    await edit(a, "what A wrote");
    await a.keyboard.press("Control+s");
    await synced(a);
    await b.keyboard.press("Control+s");
    await b.getByText(/changed elsewhere while you wrote|Both versions are kept/).first().waitFor();
    await shown(b, "note-conflict");
    await a.bringToFront();
    await a.evaluate(() => dispatchEvent(new Event("focus")));
    await a.waitForFunction(() => document.querySelectorAll(".rows a").length === 2);
    const texts = [];
    for (const row of await a.locator(".rows a").all()) {
      await row.click();
      await a.getByRole("button", { name: "Read" }).waitFor();
      await edit(a, await textOf(a));
      texts.push(await textOf(a));
    }
    assert.deepEqual(texts.sort(), ["first, and what B wrote", "what A wrote"]);
    await close(person);
  },

  async "offline, what is written stays and is sent later; a server that goes back is noticed"() {
    const person = await joined("clara");
    const { context, page } = person;
    await write(page, "Before", "text");
    await context.setOffline(true);
    await edit(page, "written on a train");
    await page.keyboard.press("Control+s");
    await page.getByText("Saved here · offline").waitFor();
    await shown(page, "note-offline");
    await context.setOffline(false);
    await synced(page);

    // An older head than was seen, signed all the same.
    const changes = [];
    page.on("response", async (response) => response.url().includes("/changes") && changes.push(await response.text().catch(() => "")));
    await page.evaluate(() => dispatchEvent(new Event("focus")));
    await page.waitForTimeout(500);
    const old = changes.find(Boolean);
    assert.ok(old, "changes were asked for");
    await edit(page, "and once more");
    await page.keyboard.press("Control+s");
    await synced(page);
    await context.route("**/api/vault/changes*", (route) => route.fulfill({ body: old, contentType: "application/json" }));
    await page.evaluate(() => dispatchEvent(new Event("focus")));
    await page.getByText("This server does not show what it showed before.").waitFor();
    await shown(page, "vault-rollback");
    await context.close();
  },

  async "the vault opens again from the sealed copy, and is locked in between"() {
    const person = await joined("dora");
    const { page } = person;
    await write(page, "Kept", "in a sealed copy");
    await page.waitForTimeout(1500);
    const kept = await page.evaluate(async () => (await indexedDB.databases()).map((one) => one.name));
    assert.deepEqual(kept, ["symbolon-vault"]);
    await page.goto(`${BASE}/notes`);
    assert.equal((await page.content()).includes("sealed copy"), false);
    await unlock(page);
    await note(page, "Kept").click();
    await page.getByText("in a sealed copy").waitFor();

    // What is typed and not saved yet when somebody locks is not lost, and nothing of it is in the page.
    await edit(page, "typed a moment before the lock");
    await page.getByRole("button", { name: "Lock", exact: true }).click();
    await page.getByRole("button", { name: "Open the vault" }).waitFor();
    assert.equal((await page.content()).includes("a moment before"), false);
    await shown(page, "vault-locked");
    await unlock(page);
    await to(page, "Notes");
    await note(page, "Kept").click();
    await page.getByText("typed a moment before the lock").waitFor();
    await close(person);
  },
});

function textOf(page) {
  return page.locator("textarea.text").or(page.locator(".prose")).first().evaluate((it) => ("value" in it ? it.value : it.textContent.trim()));
}
