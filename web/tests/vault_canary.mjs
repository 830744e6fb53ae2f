// Every field of every kind of item, each with words that nobody else has; the browser's profile stays on the disk and
// the network is written down. The test that runs this searches both, and the server's home.
import assert from "node:assert/strict";
import { browser } from "./lib.mjs";
import { joinedOnDisk, synced, to } from "./vault_lib.mjs";

/** A picture of one point. */
const PIXEL = Buffer.from("iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==", "base64");

const planted = JSON.parse(process.env.CANARIES);
const used = new Set();
/** The canary of a field. */
const c = (name) => {
  assert.ok(planted[name], `no canary is planted for ${name}`);
  used.add(name);
  return planted[name];
};

const { context, page } = await joinedOnDisk("canary");
try {
  // A folder, and a note in it.
  await to(page, "Notes");
  await page.getByRole("button", { name: /All notes/ }).click();
  await page.getByRole("button", { name: "New folder" }).click();
  await page.getByLabel("Name of the folder").fill(c("folder"));
  await page.getByRole("button", { name: "Make it" }).click();
  await page.getByRole("button", { name: "New note" }).click();
  await page.getByLabel("Title").fill(c("note title"));
  await page.getByLabel("Text, in Markdown").fill(`${c("note body")} [[${c("note link")}]]`);
  await page.keyboard.press("Control+s");
  await page.getByLabel("Add a tag").fill(c("note tag"));
  await page.keyboard.press("Enter");
  await synced(page);
  await page.getByLabel("Text, in Markdown").fill(`second: ${c("note revision")}`);
  await page.keyboard.press("Control+s");
  await synced(page);
  await page.getByLabel("Search your notes").fill(c("search"));
  await page.getByRole("heading", { name: "Nothing found" }).waitFor();

  const item = async (kind, fill) => {
    await to(page, "Items");
    await page.getByRole("link", { name: "New item" }).first().click();
    await page.getByRole("link", { name: new RegExp(`^${kind}`) }).click();
    await fill();
    await page.getByRole("button", { name: "Save", exact: true }).click();
    await page.getByRole("button", { name: "Change it" }).waitFor();
  };
  const put = (label, name) => page.getByLabel(label, { exact: true }).fill(c(name));

  await item("Login", async () => {
    await put("Name", "login name");
    await put("User name", "login user");
    await put("Password", "login password");
    await page.getByLabel("Where it is used").fill(`https://${c("login uri")}.example/`);
    await put("Seed of one-time codes", "login seed");
    await page.getByRole("button", { name: "Add a field" }).click();
    await put("Name of field 1", "login field name");
    await put("Value of field 1", "login field value");
    await page.getByRole("button", { name: "Add a field" }).click();
    await put("Name of field 2", "login masked name");
    await page.getByLabel("How field 2 is shown").selectOption("hidden");
    await put("Value of field 2", "login masked value");
    await put("Notes", "login notes");
    await page.getByLabel("Add a tag").fill(c("login tag"));
  });
  // Each is looked at, and one is copied.
  for (const name of ["password", "seed", c("login masked name")]) await page.getByRole("button", { name: `Show the ${name}` }).click();
  await page.getByText(c("login password")).waitFor();
  await page.getByText(c("login masked value")).waitFor();
  await page.getByRole("button", { name: "Copy the password" }).click();
  await page.getByText("Copied, for 30 seconds").waitFor();
  // Changed without its secrets being typed again: they stay.
  await page.getByRole("button", { name: "Change it" }).click();
  await page.getByLabel("User name").fill(c("login user again"));
  await page.getByRole("button", { name: "Save", exact: true }).click();
  await page.getByRole("button", { name: "Change it" }).waitFor();
  await page.getByRole("button", { name: "Show the password" }).click();
  await page.getByText(c("login password")).waitFor();

  await item("API key", async () => {
    await put("Name", "key name");
    await put("Service", "key service");
    await put("Key", "key");
    await page.getByLabel("What it may").fill(c("key scope"));
    await put("Notes", "key notes");
  });
  await item("Profile", async () => {
    await put("Name", "profile name");
    await put("User name", "profile user");
    await page.getByLabel("E-mail").fill(`${c("profile mail")}@mail.example`);
    await put("About", "profile about");
    const picture = Buffer.concat([PIXEL, Buffer.from(c("profile picture"))]);
    await page.getByLabel("Picture").setInputFiles({ name: `${c("picture file name")}.png`, mimeType: "image/png", buffer: picture });
  });
  await page.getByRole("img", { name: "Of the profile" }).waitFor();

  // Sent, kept in the sealed copy, opened again from it.
  await to(page, "Items");
  await page.getByText("Synced", { exact: true }).waitFor();
  await page.waitForTimeout(2500);
  const stored = await page.evaluate(async () => {
    const open = (name) => new Promise((done) => (indexedDB.open(name).onsuccess = (event) => done(event.target.result)));
    let bytes = 0;
    for (const { name } of await indexedDB.databases()) {
      const database = await open(name);
      for (const store of database.objectStoreNames) {
        const all = await new Promise((done) => (database.transaction(store).objectStore(store).getAll().onsuccess = (event) => done(event.target.result)));
        for (const value of all) bytes += value.byteLength;
      }
    }
    return { bytes, local: JSON.stringify({ ...localStorage }), session: JSON.stringify({ ...sessionStorage }) };
  });
  assert.ok(stored.bytes > 4000, "the sealed copy is kept");
  for (const [name, text] of Object.entries(planted)) assert.equal((stored.local + stored.session).includes(text), false, name);
  assert.deepEqual([...used].sort(), Object.keys(planted).sort(), "every canary was used");
  // What the test finds the network and the profile by: it has to be there.
  await page.evaluate((control) => {
    localStorage.setItem("control", control);
    return fetch("/healthz", { headers: { "x-control": control } });
  }, process.env.CONTROL);
  console.log("ok every field of every item was written, shown and sent");
} finally {
  await context.close();
  await browser.close();
}
