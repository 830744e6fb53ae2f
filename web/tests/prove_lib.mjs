// What tests of proofs use: demo claims typed, a proof made, requests searched for what was typed.
import assert from "node:assert/strict";
import { button } from "./person.mjs";

const PLANTED = JSON.parse(process.env.CANARIES ?? "{}");
export const TYPED = { birth: "1987-03-14", nationality: "ISL", number: "C01X00T47", expiry: "2031-08-09", ...PLANTED };

/** Chooses demo claims and types them. Gives what was typed. */
export async function typesDemo(page, other = {}) {
  const typed = { ...TYPED, ...other };
  await page.getByRole("radio", { name: /Try it with demo claims/ }).check();
  await page.getByLabel("Date of birth").fill(typed.birth);
  await page.getByLabel("Nationality").fill(typed.nationality);
  await page.getByLabel("Number of the document").fill(typed.number);
  await page.getByLabel("Last day of the document").fill(typed.expiry);
  return typed;
}

/** Agrees, waits for the outcome, and has seen how it began: a key is read in less time than it takes to look for a text. */
export async function proves(page, begins) {
  await page.evaluate(() => {
    globalThis.said = new Set();
    const note = () => document.querySelectorAll("[role=status]").forEach((one) => globalThis.said.add(one.textContent));
    globalThis.noting?.disconnect();
    globalThis.noting = new MutationObserver(note);
    globalThis.noting.observe(document.body, { childList: true, characterData: true, subtree: true });
  });
  await button(page, "Agree, and prove it").click();
  await isProven(page);
  const said = await page.evaluate(() => [...globalThis.said]);
  assert.ok(said.some((one) => one.includes(begins)), `${begins} was not among ${said.join("; ")}`);
}

/** Waits for the outcome; what is said in its place is what fails. */
export async function isProven(page) {
  const refused = page.getByRole("alert");
  const either = page.getByRole("heading", { name: "It is proven." }).or(refused).first();
  await either.waitFor({ timeout: 120_000 });
  if (await refused.count()) assert.fail(await refused.first().innerText());
}

/** No request has a value: as it was typed, without its dashes, or as the element that circuits count in. */
export function isClean(sent, { birth, nationality, number, expiry }) {
  const element = (integer) => {
    const bytes = Buffer.alloc(32);
    bytes.writeUInt32LE(integer);
    return bytes.toString("hex");
  };
  const day = (text) => {
    const [year, month, day] = text.split("-").map(Number);
    return year * 512 + month * 32 + day;
  };
  const code = nationality.padEnd(3, "<");
  const values = [
    ...[birth, expiry].flatMap((text) => [text, text.replaceAll("-", ""), text.split("-").reverse().join("."), element(day(text))]),
    `"${nationality}"`, `=${nationality}`, `${code}<`, element(Buffer.from(`\0${code}`).readUInt32BE()),
    number,
  ];
  assert.ok(sent.length > 3, "requests were noted");
  for (const value of values) {
    for (const one of sent) assert.equal(one.includes(value), false, `${value} is in a request`);
  }
}
