// The power goes, or the tab is closed, at each request of what changes an account: before the server hears it, and after it
// did while the page hears no answer. Whoever comes back goes on, and nothing is half there.
import assert from "node:assert/strict";
import { authenticator } from "./authenticator.mjs";
import { BASE, open, run } from "./lib.mjs";
import { aName, button, group, isOpen, PASSWORD, signIn, signUpWithPassword, writeDown } from "./person.mjs";
import { isVault, to, write } from "./vault_lib.mjs";

const ways = (page) => page.getByRole("list", { name: "Ways in" }).getByRole("listitem");
const FILE = { name: "plan.bin", mimeType: "application/octet-stream", buffer: Buffer.alloc(2_500_000, 7) };

/** What is done, which requests it makes, and how somebody goes on who comes back afterwards. */
const FLOWS = [
  {
    name: "sign-up",
    begin: async () => undefined,
    act: (page, name) => signUpWithPassword(page, name),
    requests: ["POST /api/account", "POST /api/account/credentials"],
    async after(page, name) {
      // Either there is no account, and the name is free; or there is one, and its password opens it.
      await cameBack(page, name);
      if (await page.getByRole("alert").isVisible()) await signUpWithPassword(page, name);
      else return whole(page, ["Password", "Recovery code"]);
      await writeDown(page);
      return whole(page, ["Password", "Recovery code"]);
    },
  },
  {
    name: "a way in is added",
    begin: async (page, name) => {
      await signUpWithPassword(page, name);
      await writeDown(page);
    },
    async act(page) {
      await button(page, "Add a way in").click();
      await button(page, "Add a passkey").click();
    },
    requests: ["POST /api/account/credentials", "PUT /api/vault/wraps"],
    async after(page, name) {
      await cameBack(page, name);
      await isOpen(page);
      // One that signs in and opens nothing is taken away; one that is whole stays.
      const half = ways(page).filter({ hasText: "Passkey" }).filter({ hasText: /signs in only|opens only/ });
      if ((await half.count()) > 0) {
        await half.getByRole("button").click();
        await page.getByRole("dialog").getByRole("button", { name: "Remove it" }).click();
        await half.waitFor({ state: "detached" });
      }
      if ((await ways(page).filter({ hasText: "Passkey" }).count()) === 0) {
        await button(page, "Add a way in").click();
        await button(page, "Add a passkey").click();
        await ways(page).filter({ hasText: "Passkey" }).waitFor();
      }
      return whole(page, ["Passkey", "Password", "Recovery code"]);
    },
  },
  {
    name: "the key is changed",
    begin: async (page, name) => {
      await signUpWithPassword(page, name);
      await writeDown(page);
      await write(page, "Kept", "what was written before");
      await isOpen(page);
      await page.getByRole("link", { name: "Change the key…" }).click();
      await page.getByLabel("Password", { exact: true }).fill(PASSWORD);
      await button(page, "Keep it").click();
      await button(page, "Go on to the new recovery code").click();
    },
    act: (page) => writeDown(page, false, async () => undefined),
    requests: ["POST /api/account/credentials", "PUT /api/vault/wraps", "POST /api/vault/commit", "DELETE /api/account/credentials"],
    async after(page, name) {
      await cameBack(page, name);
      await isOpen(page);
      // A code that signs in and opens nothing has its own row, and is taken away.
      const half = ways(page).filter({ hasText: "Recovery code of before" });
      while ((await half.count()) > 0) {
        await half.first().getByRole("button").click();
        await page.getByRole("dialog").getByRole("button", { name: "Remove it" }).click();
        await page.getByText("is no way in any more").waitFor();
        await page.waitForTimeout(300);
      }
      await whole(page, ["Password", "Recovery code"]);
      await to(page, "Notes");
      await page.getByRole("link", { name: /Kept/ }).first().click();
      await page.getByText("what was written before").waitFor();
      await page.getByText("The vault is being sealed under its new key.").waitFor({ state: "detached" });
      // And the key can be changed from there.
      await isOpen(page);
      await page.getByRole("link", { name: "Change the key…" }).click();
      await page.getByLabel("Password", { exact: true }).fill(PASSWORD);
      await button(page, "Keep it").click();
      await button(page, "Go on to the new recovery code").click();
      await writeDown(page, false, () => page.getByText("Everything is sealed under it.").waitFor());
      await isOpen(page);
      return whole(page, ["Password", "Recovery code"]);
    },
  },
  {
    name: "a file goes up",
    begin: async (page, name) => {
      await signUpWithPassword(page, name);
      await writeDown(page, false, isVault);
      await to(page, "Items");
    },
    act: (page) => page.getByLabel("Add a file").setInputFiles(FILE),
    requests: ["POST /api/vault/commit", "PUT /api/vault/blobs/[^/]+/0", "PUT /api/vault/blobs/[^/]+/1"],
    async after(page, name) {
      await cameBack(page, name);
      await isVault(page);
      await to(page, "Items");
      await page.waitForTimeout(1500);
      if ((await page.getByText(FILE.name).count()) === 0) await page.getByLabel("Add a file").setInputFiles(FILE);
      else await page.getByText(FILE.name).first().click();
      const save = page.getByRole("button", { name: "Save it on this device" });
      const choose = page.getByText("Choose the file");
      await save.or(choose).first().waitFor();
      if (await choose.isVisible()) await page.getByLabel("Choose the file").setInputFiles(FILE);
      const [saved] = await Promise.all([page.waitForEvent("download"), save.click()]);
      const chunks = [];
      for await (const chunk of await saved.createReadStream()) chunks.push(chunk);
      assert.ok(Buffer.concat(chunks).equals(FILE.buffer), "the file is another one");
      await to(page, "Items");
      assert.equal(await page.getByText(FILE.name).count(), 1, "the file is there twice");
    },
  },
];

/** Signs in by the password, in a new tab of the same browser; may find that there is no account. */
async function cameBack(page, name) {
  await page.goto(`${BASE}/sign-in`);
  const locked = page.getByRole("button", { name: "Open the vault" });
  const out = page.getByRole("heading", { name: "Welcome back." });
  await locked.or(out).first().waitFor();
  if (await out.isVisible()) {
    await signIn(page, "Password");
    await page.getByLabel("Name").fill(name);
  }
  await page.getByLabel("Password", { exact: true }).fill(PASSWORD);
  await page.getByRole("button", { name: /^(Sign in|Open the vault)$/ }).click();
  await page.getByRole("alert").or(page.getByRole("button", { name: "Lock", exact: true })).first().waitFor();
}

/** Each way in is there once, and signs in and opens. A code that only opens is made anew, as its row offers. */
async function whole(page, expected) {
  await isOpen(page);
  await ways(page).first().waitFor();
  if ((await page.getByText("opens only").count()) > 0) {
    await button(page, "Make a new one").click();
    await writeDown(page);
  }
  await page.waitForFunction((n) => document.querySelectorAll('ul[aria-label="Ways in"] > li').length === n, expected.length);
  for (const one of expected) assert.equal(await ways(page).filter({ has: page.getByRole("heading", { name: one, exact: true }) }).count(), 1, one);
  assert.equal((await page.getByText("opens only").count()) + (await page.getByText("signs in only").count()), 0, "a way in is half there");
}

/** Closes the tab as soon as the request is seen; `isHeard`: after the server had it whole. Tells that it did. */
async function cut(page, request, isHeard, done) {
  const [method, path] = request.split(" ");
  let seen = false;
  await page.route((url) => new RegExp(`^${path}(?:/[0-9a-f-]+)?$`).test(url.pathname), async (route) => {
    if (route.request().method() !== method || seen) return route.continue();
    seen = true;
    if (isHeard) await route.fetch();
    // It waits for what is under way here, this request too.
    done(page.close());
  });
}

const tests = {};
for (const flow of FLOWS) {
  for (const request of flow.requests) {
    for (const isHeard of [false, true]) {
      tests[`${flow.name}: cut ${isHeard ? "behind" : "before"} ${request}`] = async () => {
        const { context, page } = await open();
        await authenticator(page);
        const name = aName();
        await flow.begin(page, name);
        await new Promise((done, failed) => {
          // The tab goes away under whatever it was doing: only what fails before that says something.
          void cut(page, request, isHeard, done).then(() => flow.act(page, name)).catch(failed);
        });
        const next = await context.newPage();
        next.setDefaultTimeout(20_000);
        await authenticator(next);
        await flow.after(next, name);
        await context.close();
      };
    }
  }
}
await run(tests);
