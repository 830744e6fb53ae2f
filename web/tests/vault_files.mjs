// Attachments of some megabytes: sent in sealed pieces, gone on with where it broke off, saved again in the same bytes.
import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { readFileSync } from "node:fs";
import { close, run, shown } from "./lib.mjs";
import { joined, to } from "./vault_lib.mjs";

const BYTES = randomBytes(3_700_000);
const file = (buffer, name = "film.bin") => ({ name, mimeType: "application/octet-stream", buffer });

async function saved(page) {
  const [download] = await Promise.all([page.waitForEvent("download"), page.getByRole("button", { name: "Save it on this device" }).click()]);
  assert.equal(download.suggestedFilename(), "film.bin");
  return readFileSync(await download.path());
}

await run({
  async "a file goes up in pieces, goes on where it broke off, and comes back whole"() {
    const person = await joined("ida");
    const { context, page } = person;
    const sent = [];
    context.on("request", (request) => request.method() === "PUT" && sent.push([request.url().split("/").at(-1), request.postDataBuffer()]));
    await to(page, "Items");
    // The third piece does not arrive.
    await context.route(/\/api\/vault\/blobs\/\w+\/2$/, (route) => route.abort());
    await page.getByLabel("Add a file").setInputFiles(file(BYTES));
    await page.getByRole("alert").waitFor();
    await page.getByRole("link", { name: /film\.bin/ }).click();
    await page.getByText("Its upload broke off").waitFor();
    await page.getByText("after 2 of 4 pieces").waitFor();
    await shown(page, "file-broken");
    await context.unroute(/\/api\/vault\/blobs\/\w+\/2$/);

    const other = Buffer.from(BYTES);
    other[3_000_000] ^= 1;
    await page.getByLabel("Choose the file").setInputFiles(file(other));
    await page.getByText("This is another file than the one whose upload was begun.").waitFor();
    sent.length = 0;
    await page.getByLabel("Choose the file").setInputFiles(file(BYTES));
    await page.getByRole("button", { name: "Save it on this device" }).waitFor();
    assert.deepEqual(sent.map(([piece]) => piece), ["2", "3"], "only what was missing is sent");
    const plain = BYTES.subarray(2 * 1024 * 1024, 2 * 1024 * 1024 + 64);
    for (const [, body] of sent) assert.equal(body.includes(plain.subarray(0, 16)), false, "a piece is not sealed");
    await shown(page, "file");
    assert.ok((await saved(page)).equals(BYTES), "it came back in other bytes");

    // A piece that the server changed is refused, and nothing is saved.
    await context.route(/\/api\/vault\/blobs\/\w+\/1$/, async (route) => {
      const answer = await route.fetch();
      const body = await answer.body();
      body[body.length - 1] ^= 1;
      await route.fulfill({ response: answer, body });
    });
    await page.getByRole("button", { name: "Save it on this device" }).click();
    await page.getByText("The chunk is damaged.").waitFor();
    await context.unroute(/\/api\/vault\/blobs\/\w+\/1$/);

    // Erased, its pieces are gone from the server too.
    const dropped = page.waitForResponse((response) => response.request().method() === "DELETE" && response.url().includes("/blobs/"));
    await page.getByRole("button", { name: "Put it into the trash" }).click();
    await page.getByRole("link", { name: "Trash" }).click();
    await page.getByRole("link", { name: /film\.bin/ }).click();
    await page.getByRole("button", { name: "Erase it for good" }).click();
    assert.equal((await dropped).status(), 204);
    await page.getByRole("heading", { level: 1, name: "Items" }).waitFor();
    await close(person);
  },
});
