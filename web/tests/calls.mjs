// An agent calls; its owner watches, is asked, looks at the receipt.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { BASE, call, close, enter, go, open, run, shown, symbolon } from "./lib.mjs";

const question = (page) => page.getByRole("article");

await run({
  async "a call is answered in the page while its agent waits"() {
    const owner = await enter();
    await go(owner.page, "/approvals", "Approvals");
    const hidden = "all\u202eof it\u200b";
    const waits = call("httpbin.post", { word: hidden });
    await question(owner.page).waitFor();
    const sentence = await question(owner.page).getByRole("heading").textContent();
    assert.match(sentence, /^claude asks to post \(write\) at httpbin: POST localhost:\d+ through httpbin/i);
    const request = await question(owner.page).getByLabel("Request").textContent();
    assert.match(request, /^POST https:\/\/localhost:\d+\/post/);
    assert.ok(request.includes("all\\u{202e}of it\\u{200b}"), request);
    assert.ok(request.includes("credential: bearer, put in by the broker"), request);
    assert.match(await owner.page.title(), /^\(1\) Approvals/);
    await shown(owner.page, "approval");
    await question(owner.page).getByRole("button", { name: "Approve" }).click();
    const answer = await waits;
    assert.equal(answer.status, 200);
    assert.equal(JSON.parse(answer.body.data).word, hidden, "what ran is what was shown");
    await owner.page.getByText("approved", { exact: true }).first().waitFor();
    await shown(owner.page, "approvals-answered");
    await close(owner);
  },

  async "a no has a reason, which the agent is told; keys answer the marked question alone"() {
    const owner = await enter();
    await go(owner.page, "/approvals", "Approvals");
    const denied = call("httpbin.post", { word: "one" });
    await question(owner.page).waitFor();
    await owner.page.getByLabel("Why not, for the agent").fill("not today");
    await owner.page.keyboard.press("y");
    await owner.page.getByRole("button", { name: "Deny" }).click();
    const refused = await denied;
    assert.equal(refused.code, "approval_denied");
    assert.match(refused.message, /not today/);
    const approved = call("httpbin.post", { word: "two" });
    await question(owner.page).waitFor();
    await owner.page.evaluate(() => document.activeElement?.blur());
    await owner.page.keyboard.press("y");
    await owner.page.waitForTimeout(300);
    assert.equal(await question(owner.page).count(), 1, "a stray key answered");
    await owner.page.keyboard.press("j");
    await owner.page.keyboard.press("y");
    assert.equal((await approved).status, 200);
    await close(owner);
  },

  async "calls appear as they begin, and end with their receipts"() {
    const owner = await enter();
    await go(owner.page, "/live", "Live calls");
    const row = (tool) => owner.page.getByRole("row").filter({ hasText: tool }).first();
    const slow = call("httpbin.drip", { duration: 3, numbytes: 3 });
    await row("httpbin.drip").getByText("on its way").waitFor();
    await shown(owner.page, "live");
    await slow;
    await row("httpbin.drip").getByText("done").waitFor();
    const refused = await call("httpbin.get", {}, process.env.OTHER_KEY);
    assert.equal(refused.status, 403);
    await call("httpbin.status", { code: 418 });
    await row("httpbin.status").getByText("418").waitFor();
    await owner.page.keyboard.press("j");
    await owner.page.keyboard.press("Enter");
    await owner.page.getByRole("heading", { name: /^Receipt \d+$/ }).waitFor();
    await go(owner.page, "/", "Overview");
    await owner.page.getByRole("heading", { name: "Latest calls" }).waitFor();
    await shown(owner.page, "overview");
    await close(owner);
  },

  async "a receipt is verified in the page, by its Worker"() {
    const owner = await enter();
    const { receipt } = await call("httpbin.get", { word: "verified" });
    const workers = [];
    owner.page.on("worker", (one) => workers.push(new URL(one.url()).pathname));
    await go(owner.page, `/receipts/${receipt}`, `Receipt ${receipt}`);
    await owner.page.getByRole("heading", { name: "Verified in this page" }).waitFor();
    assert.equal(workers.length, 1);
    for (const check of ["Form", "Operator", "Signature", "Statement", "Checkpoint", "Inclusion", "Order"]) {
      await owner.page.getByRole("listitem").getByText(check, { exact: true }).waitFor();
    }
    await owner.page.getByText("GET localhost").first().waitFor();
    await shown(owner.page, "receipt");
    await go(owner.page, "/receipts", "Receipts");
    await owner.page.getByRole("row").nth(1).waitFor();
    await shown(owner.page, "receipts");
    await owner.page.getByLabel("Tool begins with").fill("httpbin.drip");
    await owner.page.waitForURL(/tool=httpbin\.drip/);
    await owner.page.getByRole("row").filter({ hasText: "httpbin.get" }).first().waitFor({ state: "detached" });
    await owner.page.getByLabel("Tool begins with").fill("nothing");
    await owner.page.getByRole("heading", { name: "None like that" }).waitFor();
    await close(owner);
  },

  async "a receipt that was changed on its way is not believed"() {
    const owner = await enter();
    const { receipt } = await call("httpbin.get", { word: "changed" });
    const tampered = { envelope: "Signature", checkpoint: "Checkpoint", index: "Inclusion" };
    for (const [part, check] of Object.entries(tampered)) {
      await owner.page.route("**/bundle", async (route) => {
        const response = await route.fetch();
        const bundle = await response.json();
        await route.fulfill({ response, json: change(bundle, part) });
      });
      await go(owner.page, `/receipts/${receipt}`, `Receipt ${receipt}`);
      await owner.page.getByRole("heading", { name: "Not to be believed" }).waitFor();
      const failed = owner.page.getByRole("alert").getByRole("listitem").last();
      assert.match(await failed.textContent(), new RegExp(`^\\s*${check}`), part);
      assert.equal(await owner.page.getByRole("heading", { name: "What it says" }).count(), 0, "it is shown all the same");
      if (part === "checkpoint") await shown(owner.page, "receipt-changed");
      await owner.page.unroute("**/bundle");
    }
    // Another operator's key, as a server would send that is not the one of before.
    await owner.page.route("**/api/owner/log", async (route) => {
      const response = await route.fetch();
      const head = await response.json();
      await route.fulfill({ response, json: { ...head, vkey: `${head.vkey.slice(0, -4)}AAA=` } });
    });
    await go(owner.page, "/log", "Log");
    await owner.page.getByRole("alert").getByText("another operator").waitFor();
    await shown(owner.page, "log-other-operator");
    await close(owner);
  },

  async "anybody verifies a file, without a session and without a server"() {
    const { receipt } = await call("httpbin.get", { word: "a file" });
    const bundle = symbolon("--json", "receipts", "show", String(receipt));
    const key = readFileSync(process.env.OPERATOR_PUB, "utf8");
    const guest = await open();
    await guest.page.goto(`${BASE}/verify`);
    await guest.page.getByRole("heading", { name: "Verify a receipt or a certificate" }).waitFor();
    await shown(guest.page, "verify");
    const give = (text) => guest.page.getByLabel("The receipt, or the certificate of authorship").setInputFiles({ name: "receipt.json", mimeType: "application/json", buffer: Buffer.from(text) });
    await give(bundle);
    const before = guest.seen.requests.length;
    await guest.page.getByLabel("The operator's public key").fill(key);
    await guest.page.getByRole("button", { name: "Verify" }).click();
    await guest.page.getByRole("heading", { name: "Verified in this page" }).waitFor();
    await shown(guest.page, "verified");
    await guest.context.setOffline(true);
    await give(JSON.stringify(change(JSON.parse(bundle), "envelope")));
    await guest.page.getByRole("heading", { name: "Not to be believed" }).waitFor();
    await give("not a receipt");
    await guest.page.getByText("Form", { exact: true }).waitFor();
    const asked = guest.seen.requests.slice(before).map((one) => new URL(one.url()).pathname);
    assert.deepEqual(asked.filter((path) => !path.startsWith("/assets/")), [], "a server was asked");
    await close(guest);
  },
});

/** The bundle with one thing in it changed. */
function change(bundle, part) {
  const flip = (text, at) => text.slice(0, at) + (text[at] === "A" ? "B" : "A") + text.slice(at + 1);
  if (part === "envelope") bundle.dsseEnvelope.payload = flip(bundle.dsseEnvelope.payload, 60);
  if (part === "checkpoint") bundle.log.checkpoint = flip(bundle.log.checkpoint, bundle.log.checkpoint.indexOf("\n") + 6 + String(bundle.log.index).length);
  if (part === "index") bundle.log.index -= 1;
  return bundle;
}
