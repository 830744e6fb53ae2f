// One proof in a browser whose profile stays on the disk, with the network written down. The test that runs this searches
// both, and the server's home, for what was typed.
import assert from "node:assert/strict";
import { BASE, browser } from "./lib.mjs";
import { listen } from "./person.mjs";
import { isClean, proves, typesDemo } from "./prove_lib.mjs";
import { joinedOnDisk } from "./vault_lib.mjs";

const { context, page } = await joinedOnDisk("prover");
try {
  const sent = listen(context);
  await page.goto(`${BASE}/demo/age`);
  // A load locks the vault: its claims cannot be used, and it is said.
  await page.getByText("Your vault is locked").waitFor();
  const typed = await typesDemo(page);
  await proves(page, "Making the proving key");
  isClean(sent, typed);
  const shownTo = sent.filter((one) => one.startsWith(`${BASE}/api/proofs `));
  assert.equal(shownTo.length, 1);
  assert.doesNotMatch(shownTo[0], /"cookie"|x-symbolon-csrf/i, "a proof is tied to no session of its holder");
  // What the test finds the network and the profile by.
  await page.evaluate((control) => {
    localStorage.setItem("control", control);
    return fetch("/healthz", { headers: { "x-control": control } });
  }, process.env.CONTROL);
  await page.waitForTimeout(1000);
  console.log("ok what was typed was proven from");
} finally {
  await context.close();
  await browser.close();
}
