// Claims that the command line put into a vault: listed in the page without a value, and proven from, Worker to Worker.
import assert from "node:assert/strict";
import { BASE, close, open, run, shown } from "./lib.mjs";
import { button, isOpen, listen, signIn } from "./person.mjs";
import { isClean, isProven, TYPED } from "./prove_lib.mjs";
import { to } from "./vault_lib.mjs";
import { PHRASE } from "./wallets.mjs";

await run({
  async "claims of the vault are listed without values, and an age is proven by them"() {
    const guest = await open();
    const { page } = guest;
    const sent = listen(guest.context);
    await signIn(page, "Seed phrase");
    await page.getByLabel(/12 to 24 words/).fill(PHRASE);
    await button(page, "Sign in").click();
    await isOpen(page);
    await to(page, "Items");
    const item = page.getByRole("link", { name: /Demo claims/ });
    await item.getByText(/Claims · demo, by anybody: Demo issuer/).waitFor();
    await item.click();
    await page.getByText("Issued by").waitFor();
    await shown(page, "claims");
    for (const value of Object.values(TYPED)) assert.equal((await page.content()).includes(value), false, `${value} is shown`);
    assert.equal(await button(page, "Share").count(), 0, "claims are shared with nobody");

    await page.getByRole("link", { name: "Prove that you are over 18" }).click();
    await page.getByRole("heading", { name: "What you agree to" }).waitFor();
    await page.getByRole("radio", { name: /Demo claims.*issued by demo, by anybody: Demo issuer/ }).check();
    await shown(page, "age-vault");
    await button(page, "Agree, and prove it").click();
    await isProven(page);
    isClean(sent, TYPED);
    const proofs = sent.filter((one) => one.startsWith(`${BASE}/api/proofs `));
    assert.equal(proofs.length, 1);
    assert.doesNotMatch(proofs[0], /"cookie"|x-symbolon/i, "a proof is tied to no session of its holder");
    await close(guest);
  },
});
