// A session is a cookie and a word, each worthless alone; it begins with a link that is good once.
import assert from "node:assert/strict";
import { createServer } from "node:http";
import { once } from "node:events";
import { BASE, close, enter, open, run, symbolon } from "./lib.mjs";

const WORD = "symbolon.session";
const status = (headers, path = "/api/owner/status", method = "GET") => fetch(`${BASE}${path}`, { method, headers }).then((one) => one.status);

async function secrets({ context, page }) {
  const [cookie] = await context.cookies();
  return { cookie: `${cookie.name}=${cookie.value}`, attributes: cookie, word: await page.evaluate((name) => localStorage.getItem(name), WORD) };
}

await run({
  async "both halves are needed, for reads too"() {
    const owner = await enter();
    const { cookie, attributes, word } = await secrets(owner);
    assert.equal(attributes.name, "__Host-symbolon-owner");
    assert.deepEqual([attributes.httpOnly, attributes.secure, attributes.sameSite, attributes.path], [true, true, "Strict", "/"]);
    assert.equal(await owner.page.evaluate(() => document.cookie), "");
    assert.equal(await status({ cookie, "x-symbolon-csrf": word }), 200);
    assert.equal(await status({ cookie }), 401);
    assert.equal(await status({ "x-symbolon-csrf": word }), 401);
    assert.equal(await status({ cookie, "x-symbolon-csrf": word.replace(/^./, (one) => (one === "A" ? "B" : "A")) }), 401);
    assert.equal(await status({ cookie: `${cookie}x`, "x-symbolon-csrf": word }), 401);
    assert.equal(await status({ cookie: `${cookie}; ${cookie}`, "x-symbolon-csrf": word }), 401);
    // What may change something says where it comes from.
    const whole = { cookie, "x-symbolon-csrf": word };
    assert.equal(await status(whole, "/api/owner/lock", "POST"), 401);
    assert.equal(await status({ ...whole, origin: "http://evil.example" }, "/api/owner/lock", "POST"), 403);
    // No agent's key and no owner's token opens what is the page's.
    const token = symbolon("owner", "token");
    assert.equal(await status({ authorization: `Bearer ${token}` }), 401);
    assert.equal(await status({ authorization: `Bearer ${token}` }, "/api/owner/approvals"), 200);
    assert.equal(await status({ authorization: `Bearer ${process.env.AGENT_KEY}` }), 401);
    assert.equal(await status(whole, "/api/owner/approvals"), 200);
    assert.equal(await status(whole, "/api/tools"), 401, "the owner is no agent");
    await close(owner);
  },

  async "a server on another port is sent the cookie and can do nothing with it"() {
    const owner = await enter();
    const seen = [];
    const other = createServer((request, response) => {
      seen.push(request.headers.cookie ?? "");
      response.setHeader("content-type", "text/html").end("<title>other</title>");
    });
    other.listen(0, "127.0.0.1");
    await once(other, "listening");
    const page = await owner.context.newPage();
    await page.goto(`http://127.0.0.1:${other.address().port}/`);
    // The reason for the second half: this one goes to whoever listens on this host.
    assert.match(seen[0], /__Host-symbolon-owner=/);
    assert.equal(await status({ cookie: seen[0] }), 401);
    const reached = await page.evaluate(async (base) => {
      const word = localStorage.getItem("symbolon.session");
      const read = await fetch(`${base}/api/owner/status`, { credentials: "include", headers: { "x-symbolon-csrf": "x" } }).catch(() => "refused");
      const lock = await fetch(`${base}/api/owner/lock`, { method: "POST", credentials: "include", mode: "no-cors" }).then((one) => one.type, () => "refused");
      return { word, read: read === "refused" ? read : read.status, lock };
    }, BASE);
    assert.deepEqual([reached.word, reached.read], [null, "refused"]);
    const { cookie, word } = await secrets(owner);
    const told = await fetch(`${BASE}/api/owner/status`, { headers: { cookie, "x-symbolon-csrf": word } });
    assert.equal((await told.json()).unlocked, true, "it was locked by another port");
    other.close();
    await owner.context.close();
  },

  async "a link is good once, and a session ends"() {
    const link = symbolon("page");
    const first = await open();
    await first.page.goto(link);
    await first.page.getByRole("heading", { name: "Overview" }).waitFor();
    assert.equal(await first.page.evaluate(() => location.hash), "");
    const second = await open();
    await second.page.goto(link);
    await second.page.getByRole("alert").getByText("this link was used already").waitFor();
    await close(second);
    const { cookie, word } = await secrets(first);
    const whole = { cookie, "x-symbolon-csrf": word };
    assert.equal(await status(whole), 200);
    await first.page.getByRole("link", { name: "Settings" }).click();
    await first.page.getByRole("button", { name: "Sign out here" }).click();
    await first.page.getByRole("heading", { name: /Agents use your keys/ }).waitFor();
    assert.equal(await status(whole), 401);
    assert.deepEqual(await first.context.cookies(), []);
    assert.equal(await first.page.evaluate((name) => localStorage.getItem(name), WORD), null);
    await close(first);
  },

  async "the policy bites"() {
    const owner = await open();
    const response = await owner.page.goto(BASE);
    assert.match(response.headers()["content-security-policy"], /^default-src 'none'; script-src 'self' 'wasm-unsafe-eval'/);
    assert.equal(await owner.page.evaluate(() => crossOriginIsolated), true);
    const tried = await owner.page.evaluate(async () => {
      // The debugger lifts the policy for the synchronous part of an evaluation.
      await new Promise((done) => setTimeout(done));
      const of = async (act) => {
        try {
          await act();
          return "let through";
        } catch (error) {
          return error.name;
        }
      };
      return {
        eval: await of(() => (0, eval)("1")),
        html: await of(() => (document.body.innerHTML = "<b>x</b>")),
        elsewhere: await of(() => fetch("https://example.invalid/")),
        worker: await of(() => new Worker("/assets/x.js")),
      };
    });
    assert.deepEqual(tried, { eval: "EvalError", html: "TypeError", elsewhere: "TypeError", worker: "TypeError" });
    // Each of them is what any other test would fail for.
    await owner.page.waitForTimeout(300);
    for (const directive of ["require-trusted-types-for", "connect-src"]) {
      assert.ok(owner.seen.problems.some((one) => one.startsWith(`policy: ${directive}`)), `${directive}: ${owner.seen.problems}`);
    }
    await assert.rejects(close(owner));
    await owner.context.close();
  },
});
