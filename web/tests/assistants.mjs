// An assistant asks, its person looks, allows less, refuses, takes it back. Nothing is allowed without a click.
import assert from "node:assert/strict";
import { createHash, randomBytes } from "node:crypto";
import { BASE, close, open, run, shown } from "./lib.mjs";
import { alert, aName, button, group, isOpen, PASSWORD, signUpWithPassword, writeDown } from "./person.mjs";

/** It answers at this origin, so that the browser asks nobody else. */
const CALLBACK = `${BASE}/verify`;

async function post(path, type, body) {
  const response = await fetch(`${BASE}${path}`, { method: "POST", headers: { "content-type": type }, body });
  return { status: response.status, ...(await response.json()) };
}

/** A client, its request, and the tokens for what comes back. */
async function client(name, redirectUri = CALLBACK) {
  const made = await post("/oauth/register", "application/json", JSON.stringify({ client_name: name, redirect_uris: [redirectUri] }));
  assert.equal(made.status, 201, JSON.stringify(made));
  const verifier = randomBytes(32).toString("base64url");
  const challenge = createHash("sha256").update(verifier).digest("base64url");
  const asked = {
    response_type: "code", client_id: made.client_id, redirect_uri: redirectUri, scope: "notes.read notes.write", state: "x y",
    code_challenge: challenge, code_challenge_method: "S256", resource: `${BASE}/mcp`,
  };
  const address = (change = {}) => `${BASE}/oauth/authorize?${new URLSearchParams({ ...asked, ...change })}`;
  const tokens = (code) => post("/oauth/token", "application/x-www-form-urlencoded", String(new URLSearchParams({
    grant_type: "authorization_code", code, client_id: made.client_id, redirect_uri: redirectUri, code_verifier: verifier, resource: asked.resource,
  })));
  return { address, tokens };
}

const asks = (page, name) => page.getByRole("heading", { level: 1, name: `May ${name} use your notes?` }).waitFor();
const returned = async (page) => {
  await page.waitForURL((url) => url.pathname === "/verify");
  return new URL(page.url()).searchParams;
};

await run({
  async "a person who is signed out signs in, sees who asks, and allows less"() {
    const guest = await open();
    const { page } = guest;
    const name = aName();
    await signUpWithPassword(page, name);
    await writeDown(page);
    const [one, other] = [await client("Notes helper"), await client("Far away", "https://assistant.example/callback")];

    // Another browser, in which nobody is signed in.
    const fresh = await open();
    await fresh.page.goto(one.address());
    await fresh.page.getByRole("heading", { level: 1, name: "Sign in first." }).waitFor();
    await shown(fresh.page, "consent-signed-out");
    await group(fresh.page).getByRole("button", { name: "Password" }).click();
    await fresh.page.getByLabel("Name").fill(name);
    await fresh.page.getByLabel("Password", { exact: true }).fill(PASSWORD);
    await button(fresh.page, "Sign in").click();
    await asks(fresh.page, "Notes helper");
    await fresh.page.getByText("a program on the machine that you sit at").waitFor();
    await shown(fresh.page, "consent");
    await fresh.page.getByLabel(/Write new notes/).uncheck();
    await fresh.page.getByLabel("7 days").check();
    await button(fresh.page, "Allow").click();
    const answer = await returned(fresh.page);
    assert.deepEqual([answer.get("state"), answer.get("iss")], ["x y", BASE]);
    const given = await one.tokens(answer.get("code"));
    assert.deepEqual([given.status, given.scope], [200, "notes.read"]);
    await close(fresh);

    await page.goto(other.address());
    await asks(page, "Far away");
    await page.getByText("assistant.example").waitFor();
    await shown(page, "consent-elsewhere");
    await page.getByLabel(/Read your notes/).uncheck();
    await page.getByLabel(/Write new notes/).uncheck();
    assert.equal(await button(page, "Allow").isDisabled(), true, "nothing is no permission");
    await close(guest);
  },

  async "no is an answer, and what cannot be answered goes nowhere"() {
    const guest = await open();
    const { page } = guest;
    await signUpWithPassword(page, aName());
    await writeDown(page);
    const one = await client("Notes helper");
    await page.goto(one.address());
    await asks(page, "Notes helper");
    await button(page, "Do not allow").click();
    const answer = await returned(page);
    assert.deepEqual([answer.get("error"), answer.get("code")], ["access_denied", null]);

    await page.goto(one.address({ code_challenge_method: "plain" }));
    await page.getByRole("heading", { level: 1, name: "Notes helper asked wrongly." }).waitFor();
    await shown(page, "consent-problem");
    await button(page, "Tell Notes helper").click();
    assert.equal((await returned(page)).get("error"), "invalid_request");

    await page.goto(one.address({ redirect_uri: "https://evil.example/callback" }));
    await page.getByRole("heading", { level: 1, name: "This cannot be answered." }).waitFor();
    await alert(page, /is not answered/);
    await shown(page, "consent-unsafe");
    assert.equal(await page.getByText("evil.example").count(), 0);
    await close(guest);
  },

  async "connected assistants are listed and disconnected"() {
    const guest = await open();
    const { page } = guest;
    await signUpWithPassword(page, aName());
    await writeDown(page);
    await isOpen(page);
    await page.getByRole("link", { name: "Assistants", exact: true }).click();
    await page.getByRole("heading", { name: "No assistant is connected" }).waitFor();
    await shown(page, "assistants-empty");
    const one = await client("Notes helper");
    await page.goto(one.address());
    await asks(page, "Notes helper");
    await button(page, "Allow").click();
    const given = await one.tokens((await returned(page)).get("code"));
    assert.equal(given.status, 200);

    await page.goto(`${BASE}/settings`);
    await page.getByLabel("Password", { exact: true }).fill(PASSWORD);
    await button(page, "Open the vault").click();
    await page.getByRole("link", { name: "Assistants", exact: true }).click();
    await page.getByRole("heading", { name: "Notes helper" }).waitFor();
    await shown(page, "assistants");
    await button(page, "Disconnect Notes helper").click();
    await shown(page, "assistants-disconnect");
    await page.getByRole("dialog").getByRole("button", { name: "Disconnect" }).click();
    await page.getByRole("heading", { name: "No assistant is connected" }).waitFor();
    const call = await fetch(`${BASE}/mcp`, {
      method: "POST", body: "{}",
      headers: { authorization: `Bearer ${given.access_token}`, "content-type": "application/json", accept: "application/json, text/event-stream" },
    });
    assert.equal(call.status, 401, "at once");
    await close(guest);
  },
});
