// In and out: a folder of Markdown, a zip of one, Bitwarden's JSON. What goes out comes in again, byte for byte.
import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, readFileSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { unzipSync } from "fflate";
import { close, open, run, shown } from "./lib.mjs";
import { alert, aName, button, listen, PASSWORD, signUpWithPassword, writeDown } from "./person.mjs";
import { isVault, synced, to } from "./vault_lib.mjs";

const folder = mkdtempSync(join(tmpdir(), "transfer-"));
const PICTURE = Buffer.from("89504e470d0a1a0a0000000d", "hex");
const SECRET = "a note that no server reads";

/** A folder as another program writes it. */
function written() {
  const at = join(folder, "elsewhere");
  mkdirSync(join(at, "Work", "Deep"), { recursive: true });
  writeFileSync(join(at, "Groceries.md"), '---\nid: "00112233445566778899aabbccddeeff"\ntags: ["home", "food"]\npinned: true\ncreated: 2024-05-06T07:08:09.000Z\nupdated: 2024-05-07T07:08:09.000Z\n---\n- [ ] Äpfel\n');
  writeFileSync(join(at, "Work", "Plan.md"), `# Plan\n\n${SECRET}\n\nSee [[Groceries]] and [the list](../Groceries.md), and ![a picture](Deep/picture.png).\n`);
  writeFileSync(join(at, "Work", "Deep", "picture.png"), PICTURE);
  writeFileSync(join(at, ".hidden.md"), "stays out");
  writeFileSync(join(at, "Latin.md"), Buffer.from([0x23, 0x20, 0xe4, 0xf6, 0xfc]));
  return at;
}

const input = (page, name) => page.locator("label", { hasText: name }).locator("input");
const note = (page, title) => page.getByRole("region", { name: "Notes" }).getByRole("link").filter({ has: page.locator("strong", { hasText: title }) });

async function toView(page, name) {
  await to(page, "Settings");
  await page.getByRole("main").getByRole("link", { name: `${name}…` }).click();
  await page.getByRole("heading", { level: 1, name }).waitFor();
}

async function imported(page, what, chosen) {
  await toView(page, "Import");
  await input(page, what).setInputFiles(chosen);
}

/** Gives the bytes of the file that was written. */
async function exported(page, what, name) {
  await toView(page, "Export");
  await button(page, what).click();
  await page.getByRole("heading", { name: `${name} is ready.` }).waitFor();
  const [download] = await Promise.all([page.waitForEvent("download"), page.getByRole("link", { name: "Save it on this device" }).click()]);
  assert.equal(download.suggestedFilename(), name);
  const at = join(folder, `${Date.now()}-${name}`);
  await download.saveAs(at);
  return at;
}

async function person() {
  const guest = await open();
  const sent = listen(guest.context);
  await signUpWithPassword(guest.page, aName());
  await writeDown(guest.page, false, isVault);
  return { ...guest, sent };
}

let zip;

await run({
  async "a folder of Markdown comes in, and is found as it was when it comes again"() {
    const { page, context, sent, seen } = await person();
    const from = written();
    await toView(page, "Import");
    await shown(page, "import");
    await imported(page, "Choose a folder", from);
    await page.getByRole("heading", { name: "It is in your vault." }).waitFor();
    await page.getByText("2 new items, 1 file.").waitFor();
    await page.getByText("2 things are left out").click();
    await page.getByText(".hidden.md: it is hidden.").waitFor();
    await page.getByText("Latin.md: it is no UTF-8.").waitFor();
    await shown(page, "import-done");
    await page.getByRole("link", { name: "To the notes" }).click();
    await note(page, "Plan").click();
    const sheet = page.getByRole("region", { name: "The note" });
    await sheet.getByText(SECRET).waitFor();
    await sheet.getByRole("link", { name: "Groceries" }).first().click();
    await sheet.getByText("Äpfel").waitFor();
    await page.getByRole("button", { name: "Take the tag food off" }).waitFor();
    await page.getByRole("button", { name: "Unpin" }).waitFor();
    await synced(page);
    await to(page, "Items");
    await page.getByText("picture.png").first().waitFor();

    await imported(page, "Choose a folder", from);
    // A note without an id is another one each time.
    await page.getByText("1 new item, 1 as they were, 1 file.").waitFor();

    zip = await exported(page, "Write the notes", "notes.zip");
    await shown(page, "export-done");
    const files = unzipSync(readFileSync(zip));
    const names = Object.keys(files).sort();
    assert.ok(names.includes("notes/Groceries.md") && names.includes("notes/Work/Deep/picture.png"), names.join(" "));
    assert.deepEqual(Buffer.from(files["notes/Work/Deep/picture.png"]), PICTURE);
    const text = Buffer.from(files["notes/Groceries.md"]).toString();
    for (const line of ['id: "00112233445566778899aabbccddeeff"', "created: 2024-05-06T07:08:09.000Z", "pinned: true"]) assert.ok(text.includes(line), text);
    assert.equal(sent.some((one) => one.includes(SECRET)), false, "a note went over the network in the clear");
    await close({ context, seen });
  },

  async "what was exported is imported by somebody else, and exported again in the same bytes"() {
    const { page, context, seen } = await person();
    await imported(page, "Choose files, or a zip", zip);
    await page.getByRole("heading", { name: "It is in your vault." }).waitFor();
    const again = await exported(page, "Write the notes", "notes.zip");
    const [one, other] = [zip, again].map((at) => unzipSync(readFileSync(at)));
    assert.deepEqual(Object.keys(other).sort(), Object.keys(one).sort());
    // A link to a file of the vault is written as a path; nothing else of a note names an item.
    for (const name of Object.keys(one)) assert.deepEqual(Buffer.from(other[name]), Buffer.from(one[name]), name);
    await imported(page, "Choose files, or a zip", { name: "bad.zip", mimeType: "application/zip", buffer: Buffer.from("PK no zip") });
    await alert(page, "This is no zip file that is whole.");
    await shown(page, "import-no-zip");
    await close({ context, seen });
  },

  async "Bitwarden's export comes in by its password, and what is kept goes out to Bitwarden"() {
    const { page, context, seen, sent } = await person();
    await imported(page, "Choose the export", process.env.BITWARDEN);
    await page.getByRole("heading", { name: /is sealed\.$/ }).waitFor();
    await shown(page, "import-sealed");
    await page.getByLabel("The password that it was exported with").fill("another");
    await button(page, "Open it").click();
    await page.getByRole("alert").waitFor();
    await page.getByLabel("The password that it was exported with").fill("correct horse battery");
    await button(page, "Open it").click();
    await page.getByText("2 new items.").waitFor();
    const open = { folders: [{ id: "f", name: "Work/Servers" }], items: [
      { type: 1, name: "Box", folderId: "f", login: { username: "root", password: "s3cret of a box", uris: [{ uri: "ssh://box.example" }] }, fields: [{ name: "port", value: "22", type: 0 }] },
      { type: 1, name: "Old", deletedDate: "2026-01-01T00:00:00Z", login: {} },
    ] };
    await imported(page, "Choose the export", { name: "open.json", mimeType: "application/json", buffer: Buffer.from(JSON.stringify(open)) });
    await page.getByText("1 new item.").waitFor();
    await page.getByText("One thing is left out").click();
    await page.getByText("item 2: it is in Bitwarden's trash.").waitFor();
    await imported(page, "Choose the export", { name: "none.json", mimeType: "application/json", buffer: Buffer.from("{}") });
    await alert(page, "This is no JSON export of Bitwarden");

    const at = await exported(page, "Write the logins", "bitwarden.json");
    await shown(page, "export-bitwarden");
    const { items, folders } = JSON.parse(readFileSync(at, "utf8"));
    const box = items.find(({ name }) => name === "Box");
    assert.equal(box.login.password, "s3cret of a box");
    assert.equal(folders.find(({ id }) => id === box.folderId).name, "Work/Servers");
    assert.equal(items.length, 3);
    assert.equal(sent.some((one) => one.includes("s3cret of a box") || one.includes("ghp_bw_sealed")), false, "a password was sent");
    await close({ context, seen });
  },

  async "who is here is asked before anything is written in the clear"() {
    const { page, context, seen } = await person();
    await page.clock.install();
    await page.clock.fastForward(6 * 60_000);
    await toView(page, "Export");
    await shown(page, "export");
    await button(page, "Write the logins").click();
    await page.getByRole("dialog", { name: "Is it you?" }).waitFor();
    await button(page, "Change nothing").click();
    await alert(page, "Nothing was changed.");
    await button(page, "Write the logins").click();
    await page.getByRole("dialog").getByLabel("Password", { exact: true }).fill(PASSWORD);
    await button(page, "Confirm").click();
    await page.getByRole("heading", { name: "bitwarden.json is ready." }).waitFor();
    await button(page, "Forget it").click();
    await button(page, "Write the logins").waitFor();
    await close({ context, seen });
  },
});
