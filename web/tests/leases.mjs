// Unlock leases in the page: nothing lent, lent for minutes with a countdown, ended, and ended by signing out elsewhere.
import assert from "node:assert/strict";
import { close, counted, open, run, shown } from "./lib.mjs";
import { aName, button, isLocked, listen, signUpWithPassword, writeDown } from "./person.mjs";

const heading = (page) => page.getByRole("heading", { level: 1, name: "Unlock leases" }).waitFor();
const rows = (page) => page.getByRole("list", { name: "Leases" }).getByRole("listitem");
const nothing = (page) => page.getByRole("heading", { name: "Nothing is lent" }).waitFor();
const seconds = async (page) => {
  const [, minutes, rest] = /(\d+):(\d\d) left/.exec(await page.getByRole("timer").textContent());
  return Number(minutes) * 60 + Number(rest);
};

await run({
  async "the vault's key is lent for minutes and taken back"() {
    const guest = await open();
    const { page } = guest;
    const sent = listen(guest.context);
    await signUpWithPassword(page, aName());
    await writeDown(page);
    await page.getByRole("link", { name: "Unlock leases" }).click();
    await heading(page);
    await nothing(page);
    await shown(page, "leases-none");

    await button(page, "Lend it").click();
    await page.getByRole("status").getByText("Notes and folders are lent for 15 minutes.").waitFor();
    await counted(rows(page), 1);
    const first = await seconds(page);
    assert.ok(first > 14 * 60 && first <= 15 * 60, `${first} s`);
    await page.waitForTimeout(2100);
    assert.ok((await seconds(page)) < first, "it counts down");
    await shown(page, "leases-live");

    await page.getByRole("radio", { name: /Connections/ }).check();
    await page.getByRole("radio", { name: "12 hours" }).check();
    await button(page, "Lend it").click();
    await page.getByText("Connections are lent for 12 hours.").waitFor();
    await counted(rows(page), 2);

    await button(page, "End it: Notes and folders").click();
    await page.getByText("The lease is over").waitFor();
    await counted(rows(page), 1);

    // What was sent names no key: the sealed one alone, and other each time.
    const sealed = sent.filter((one) => one.includes("/api/vault/leases ") && one.includes('"sealed"'));
    assert.equal(sealed.length, 2);
    const [one, two] = sealed.map((text) => /"sealed":"([^"]+)"/.exec(text)[1]);
    assert.notEqual(one, two);

    // The lease outlives the page's lock, and is found again.
    await page.reload();
    await isLocked(page);
    await close(guest);
  },
});
