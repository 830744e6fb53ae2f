// A certificate of authorship in the page: checked by anybody, with a text and without, and asked about.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { BASE, close, open, run, shown } from "./lib.mjs";

const { CERTIFICATE, UNSALTED, OPERATOR_PUB } = process.env;
const TEXT = "# A plan\n\nFirst the word, then the deed.\n";
const file = (name, text) => ({ name, mimeType: "application/octet-stream", buffer: Buffer.from(text) });

await run({
  async "a certificate and its text are checked without a server, which may be asked who was first"() {
    const guest = await open();
    const { page } = guest;
    await page.goto(`${BASE}/verify`);
    const give = (name) => page.getByLabel("The receipt, or the certificate").setInputFiles(file("c.json", readFileSync(name)));
    const compare = (text) => page.getByLabel("The text, for a certificate").setInputFiles(file("plan.md", text));
    await page.getByLabel("The operator's public key").fill(readFileSync(OPERATOR_PUB, "utf8"));
    const before = guest.seen.requests.length;
    await give(CERTIFICATE);
    await page.getByRole("heading", { name: "Verified in this page" }).waitFor();
    await page.getByText("not compared: choose the text above").waitFor();
    await compare(TEXT.replaceAll("\n", "\r\n"));
    await page.getByText("The text is the one that was registered.").waitFor();
    await shown(page, "verified-authorship");
    await compare(TEXT.replace("deed", "dead"));
    await page.getByRole("heading", { name: "Not to be believed" }).waitFor();
    await page.getByText("this is not the text that was registered").waitFor();
    await give(UNSALTED);
    await page.getByText("the certificate does not show the salt").waitFor();
    const asked = () => guest.seen.requests.slice(before).map((one) => new URL(one.url()).pathname).filter((path) => !path.startsWith("/assets/"));
    assert.deepEqual(asked(), [], "a server was asked");

    await compare(TEXT);
    await give(CERTIFICATE);
    await page.getByRole("button", { name: "Ask this server who was first" }).click();
    await page.getByText("this registration is the first of this digest, by amelie").waitFor();
    await page.getByText("The certificate is its newest.").waitFor();
    await shown(page, "verified-authorship-first");
    const paths = asked();
    assert.equal(paths.length, 1);
    assert.match(paths[0], /^\/api\/authorship\/[0-9a-f]{64}$/);
    assert.ok(!guest.seen.requests.some((one) => (one.postData() ?? "").includes("deed")), "the text left the page");
    await close(guest);
  },
});
