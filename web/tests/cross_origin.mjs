// An assistant that runs in a page of another origin: what it may read and send, and what stays its owner's.
import assert from "node:assert/strict";
import { createServer } from "node:http";
import { BASE, close, open, run } from "./lib.mjs";

const { TOKEN, AGENT } = process.env;
const served = createServer((_, answer) => answer.setHeader("content-type", "text/html").end("<title>An assistant</title>"));
await new Promise((done) => served.listen(0, "localhost", done));
const ELSEWHERE = `http://localhost:${served.address().port}`;

/** A fetch of the page: what its script can read, or that the browser kept it. */
const ask = (page, path, how = {}) =>
  page.evaluate(async ([url, init]) => {
    try {
      const answer = await fetch(url, init);
      const headers = ["www-authenticate", "retry-after", "content-type", "set-cookie"];
      return { status: answer.status, text: await answer.text(), ...Object.fromEntries(headers.map((name) => [name, answer.headers.get(name)])) };
    } catch (error) {
      return { kept: error.name };
    }
  }, [`${BASE}${path}`, how]);

const json = (value, headers = {}) => ({ method: "POST", headers: { "content-type": "application/json", ...headers }, body: JSON.stringify(value) });
const list = (headers) =>
  json({ jsonrpc: "2.0", id: 1, method: "tools/list" }, { accept: "application/json, text/event-stream", "mcp-protocol-version": "2025-11-25", ...headers });

await run({
  async "it discovers, registers, asks for tokens and calls, by what it holds itself"() {
    const guest = await open();
    const { page } = guest;
    await page.goto(ELSEWHERE);
    const nobody = await ask(page, "/mcp", list());
    assert.equal(nobody.status, 401);
    assert.match(nobody["www-authenticate"], /resource_metadata="[^"]+oauth-protected-resource/);
    const resource = await ask(page, "/.well-known/oauth-protected-resource/mcp");
    assert.equal(JSON.parse(resource.text).resource, `${BASE}/mcp`);
    assert.equal(JSON.parse((await ask(page, "/.well-known/oauth-authorization-server")).text).issuer, BASE);
    const made = await ask(page, "/oauth/register", json({ client_name: "A page", redirect_uris: [`${ELSEWHERE}/callback`] }));
    assert.equal(made.status, 201);
    const form = (fields) => ({ method: "POST", headers: { "content-type": "application/x-www-form-urlencoded" }, body: new URLSearchParams(fields).toString() });
    const refused = await ask(page, "/oauth/token", form({ grant_type: "refresh_token", refresh_token: "symr_x", client_id: JSON.parse(made.text).client_id }));
    assert.deepEqual([refused.status, JSON.parse(refused.text).error], [400, "invalid_grant"]);
    const tools = await ask(page, "/mcp", list({ authorization: `Bearer ${TOKEN}`, "mcp-method": "tools/list" }));
    assert.equal(tools.status, 200);
    assert.match(tools.text, /list_notes/);
    await close(guest, ELSEWHERE);
  },

  async "nothing else is read, and nothing with a cookie or an agent's key"() {
    const guest = await open();
    const { page } = guest;
    await page.goto(ELSEWHERE);
    for (const path of ["/api/session", "/api/vault", "/api/oauth/grants", "/oauth/authorize?client_id=x", "/api/openapi.json", "/healthz", "/"])
      assert.deepEqual(await ask(page, path), { kept: "TypeError" }, path);
    assert.deepEqual(await ask(page, "/api/account/challenge", json({ purpose: "sign-in", method: "passkey" })), { kept: "TypeError" });
    assert.deepEqual(await ask(page, "/mcp", list({ authorization: `Bearer ${AGENT}` })), { kept: "TypeError" });
    for (const path of ["/.well-known/oauth-authorization-server", "/mcp"])
      assert.deepEqual(await ask(page, path, { credentials: "include" }), { kept: "TypeError" }, path);
    // The browser says of each that it kept it; that is all that went wrong.
    const said = guest.seen.problems.splice(0);
    assert.ok(said.length >= 9 && said.every((one) => one.includes("blocked by CORS policy")), said.join("\n"));
    await close(guest, ELSEWHERE);
  },
});
served.close();
