// Somebody proves that they are over 18, in Chromium: the words, the proof, the outcome; cancelled, on a weak device, with
// a damaged key; and nothing of what they typed in any request. Prints how long a proof takes.
import assert from "node:assert/strict";
import { BASE, close, open, run, shown } from "./lib.mjs";
import { alert, button, listen } from "./person.mjs";
import { isClean, isProven, proves, typesDemo } from "./prove_lib.mjs";

async function visit(options) {
  const guest = await open(options);
  guest.sent = listen(guest.context);
  await guest.page.goto(`${BASE}/demo/age`);
  await guest.page.getByRole("heading", { name: "What you agree to" }).waitFor();
  return guest;
}

await run({
  async "who asks, what they will learn and what not, and a proof that the server takes"() {
    const guest = await visit();
    const { page, sent } = guest;
    const asked = page.getByRole("region", { name: "What you agree to" });
    await asked.getByText(`${new URL(BASE).origin} asks you`).waitFor();
    await asked.getByText("that you are at least 18 years old").waitFor();
    await asked.getByText(/It will not learn your name, your date of birth/).waitFor();
    await asked.getByText(/claims of the demo issuer, which anybody can make/).waitFor();
    assert.equal(await button(page, "Agree, and prove it").isDisabled(), true, "nothing is chosen yet");
    await shown(page, "age");
    assert.equal(sent.some((one) => one.includes("page_prove")), true, "the prover reads the request");
    const typed = await typesDemo(page);
    await shown(page, "age-demo");
    await button(page, "Agree, and prove it").click();
    await button(page, "Cancel").waitFor();
    await isProven(page);
    await shown(page, "age-proven");
    assert.equal(await page.getByText("demo", { exact: true }).count(), 1, "it is marked as demo");

    // The module's key is the server's.
    const { keys } = await (await fetch(`${BASE}/api/proofs/keys`)).json();
    const identity = keys.find(({ statement }) => statement === "identity/1");
    await page.getByText(identity.sha256, { exact: true }).waitFor();
    await page.getByText("What they keep").click();
    const evidence = JSON.parse(await page.locator("details pre").textContent());
    assert.equal(evidence.demo, true);
    assert.equal(evidence.statement, "identity/1");
    assert.equal(evidence.verifying_key, identity.sha256);

    const shownTo = sent.filter((one) => one.startsWith(`${BASE}/api/proofs `));
    assert.equal(shownTo.length, 1, "one proof was shown");
    assert.match(shownTo[0], /symbolon\/proof\/v1/);
    isClean(sent, typed);
    await close(guest);
  },

  async "the second proof reads the key, and a damaged key is made again"() {
    const guest = await visit();
    const { page } = guest;
    await typesDemo(page);
    await proves(page, "Making the proving key");
    const kept = () => page.evaluate(async () => {
      const cache = await caches.open("symbolon-proving-keys");
      const [request] = await cache.keys();
      const bytes = await (await cache.match(request)).arrayBuffer();
      return [...new Uint8Array(await crypto.subtle.digest("SHA-256", bytes))].map((byte) => byte.toString(16).padStart(2, "0")).join("");
    });
    const made = await kept();
    await button(page, "Once more").click();
    await typesDemo(page);
    await proves(page, "Reading the proving key");
    assert.equal(await kept(), made);

    await page.evaluate(async () => {
      const cache = await caches.open("symbolon-proving-keys");
      const [request] = await cache.keys();
      const bytes = new Uint8Array(await (await cache.match(request)).arrayBuffer());
      bytes[bytes.length >> 1] ^= 1;
      await cache.put(request, new Response(bytes));
    });
    assert.notEqual(await kept(), made);
    await button(page, "Once more").click();
    await typesDemo(page);
    await proves(page, "Making the proving key");
    assert.equal(await kept(), made, "the damaged key was replaced");
    await close(guest);
  },

  async "cancelled in the middle, and then proven"() {
    const guest = await visit();
    const { page, sent } = guest;
    await typesDemo(page);
    await button(page, "Agree, and prove it").click();
    await page.getByRole("status").getByText("Making the proving key").waitFor();
    const processors = await page.evaluate(() => navigator.hardwareConcurrency);
    await provers(page, Math.min(processors, 4));
    await button(page, "Cancel").click();
    await alert(page, "The proof was cancelled.");
    await provers(page, 0);
    await shown(page, "age-cancelled");
    assert.equal(sent.some((one) => one.startsWith(`${BASE}/api/proofs `)), false, "nothing was shown");
    await proves(page, "Making the proving key");
    await close(guest);
  },

  async "where the page is not isolated from other origins, one thread makes the proof"() {
    const guest = await open();
    const { page } = guest;
    await guest.context.route("**/*", async (route) => {
      const response = await route.fetch();
      const headers = response.headers();
      delete headers["cross-origin-embedder-policy"];
      await route.fulfill({ response, headers });
    });
    await page.goto(`${BASE}/demo/age`);
    await page.getByRole("heading", { name: "What you agree to" }).waitFor();
    assert.equal(await page.evaluate(() => globalThis.crossOriginIsolated), false);
    await typesDemo(page);
    await proves(page, "Making the proving key");
    const { threads, proof, key } = await took(page);
    assert.equal(threads, "one thread");
    console.log(`timing: ${threads}, proof ${proof}; the key made in ${key}`);
    await close(guest);
  },

  async "what does not hold is said to its holder alone, before seconds are spent"() {
    const guest = await visit();
    const { page, sent } = guest;
    const typed = await typesDemo(page, { birth: "2015-06-01" });
    await button(page, "Agree, and prove it").click();
    await alert(page, "Your claims do not show that age on the day that is asked about.");
    await page.getByText("Only you see this.").waitFor();
    await shown(page, "age-not-true");
    await page.getByLabel("Nationality").fill("ZZZ");
    await button(page, "Agree, and prove it").click();
    await alert(page, /nationality/i);
    assert.equal(sent.some((one) => one.startsWith(`${BASE}/api/proofs `)), false, "nothing was shown");
    isClean(sent, typed);
    await close(guest);
  },

  async "a device that is too slow is told so before it begins"() {
    const guest = await open();
    const { page } = guest;
    // Its clock runs a hundred times as fast: everything takes a hundred times as long.
    await guest.context.route(/prove\.worker-.*\.js/, async (route) => {
      const response = await route.fetch();
      const slow = "const real = performance.now.bind(performance); performance.now = () => 100 * real();";
      await route.fulfill({ response, body: slow + (await response.text()) });
    });
    await page.goto(`${BASE}/demo/age`);
    await page.getByRole("heading", { name: "What you agree to" }).waitFor();
    await typesDemo(page);
    await button(page, "Agree, and prove it").click();
    await alert(page, /This device would need about \d+ seconds/);
    await page.getByText("Prove on another device").waitFor();
    await shown(page, "age-slow");
    await close(guest);
  },

  async "a session that cannot be had is said, and asked for again"() {
    const guest = await open();
    const { page } = guest;
    await guest.context.route("**/demo/age/session", (route) => route.abort());
    await page.goto(`${BASE}/demo/age`);
    await alert(page, "does not answer");
    await shown(page, "age-unreachable");
    await guest.context.unroute("**/demo/age/session");
    await button(page, "Try again").click();
    await page.getByRole("heading", { name: "What you agree to" }).waitFor();
    await close(guest);
  },

  async "how long a proof takes"() {
    const guest = await visit();
    const { page } = guest;
    await typesDemo(page);
    await proves(page, "Making the proving key");
    const first = await took(page);
    await button(page, "Once more").click();
    await typesDemo(page);
    await proves(page, "Reading the proving key");
    const again = await took(page);
    console.log(`timing: ${first.threads}, proof ${first.proof} and ${again.proof}; the key made in ${first.key}, read in ${again.key ?? "less than 0.5 s"}; ${again.bytes} bytes sent`);
    await close(guest);
  },
});

/** So many Workers are provers, or come to be. */
async function provers(page, wanted) {
  const found = () => page.workers().filter((worker) => worker.url().includes("prove.worker")).length;
  for (let tries = 0; tries < 100 && found() !== wanted; tries++) await page.waitForTimeout(50);
  assert.equal(found(), wanted, "provers");
}

async function took(page) {
  const said = await page.locator("dt", { hasText: "It took" }).locator("xpath=following-sibling::dd[1]").textContent();
  const [, proof, threads, , key, bytes] = /^([\d.]+ s) on (one thread|\d threads)(, and ([\d.]+ s) for the key)?; ([\d,]+) bytes/.exec(said) ?? assert.fail(said);
  return { proof, threads, key, bytes };
}
