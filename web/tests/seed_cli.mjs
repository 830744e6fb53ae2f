// One seed, two programs: what the command line made opens in the page, and what the page made is left for it.
import { BASE, close, open, run } from "./lib.mjs";
import { button, group, isOpen, signIn, writeDown } from "./person.mjs";
import { PHRASE } from "./wallets.mjs";

const OTHER = "abandon abandon abandon abandon abandon abandon abandon abandon abandon abandon abandon about";

await run({
  async "a vault that the command line made opens by its seed phrase"() {
    const guest = await open();
    const { page } = guest;
    await signIn(page, "Seed phrase");
    await page.getByLabel(/12 to 24 words/).fill(PHRASE);
    await button(page, "Sign in").click();
    await isOpen(page);
    await page.getByRole("link", { name: "Notes" }).first().click();
    await page.getByText("From the command line").first().waitFor();
    await close(guest);
  },

  async "a vault is made for the command line"() {
    const guest = await open();
    const { page } = guest;
    await page.goto(`${BASE}/`);
    await page.getByLabel("Name").fill("robin");
    await group(page).getByRole("button", { name: "Seed phrase" }).click();
    await page.getByLabel(/12 to 24 words/).fill(OTHER);
    await button(page, "Create the vault").click();
    await writeDown(page);
    await close(guest);
  },
});
