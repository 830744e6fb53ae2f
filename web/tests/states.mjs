// Every view of a new home, and how each looks while it waits, fails or is locked.
import assert from "node:assert/strict";
import { BASE, close, enter, go, open, run, shown, symbolon } from "./lib.mjs";

const VIEWS = [
  ["/", "Overview", "Begin here"],
  ["/live", "Live calls", "No calls yet"],
  ["/approvals", "Approvals", "Nothing waits for you"],
  ["/receipts", "Receipts", "No receipts yet"],
  ["/grants", "Grants", "Nothing is granted now"],
  ["/grants/new", "Grant something", "There is nothing to grant yet"],
  ["/agents", "Agents", "No agents yet"],
  ["/connections", "Connections", "Nothing is connected"],
  ["/log", "Log", "Checkpoint"],
  ["/settings", "Settings", "Broker"],
];

const name = (path) => path.slice(1).replaceAll("/", "-") || "overview";

await run({
  async "a browser that is nobody's is told how to become the owner's"() {
    const guest = await open();
    await guest.page.goto(`${BASE}/receipts`);
    await guest.page.getByText("symbolon page").first().waitFor();
    await shown(guest.page, "enter");
    await guest.page.goto(`${BASE}/#link=${"A".repeat(43)}`);
    await guest.page.reload();
    await guest.page.goto("about:blank");
    await guest.page.goto(`${BASE}/#link=${"A".repeat(43)}`);
    await guest.page.getByRole("alert").getByText("this link was used already").waitFor();
    assert.equal(guest.page.url(), `${BASE}/`, "the code stays in the address");
    await shown(guest.page, "enter-bad-link");
    await close(guest);
  },

  async "every view of a new home says what comes next, also after a reload"() {
    const owner = await enter();
    for (const [path, heading, empty] of VIEWS) {
      await go(owner.page, path, heading);
      await owner.page.getByRole("heading", { name: empty }).waitFor();
      await shown(owner.page, `empty-${name(path)}`);
    }
    await go(owner.page, "/settings/nothing", "Settings");
    await go(owner.page, "/receipts/none", "There is nothing here");
    await close(owner);
  },

  async "the first view is there within a second"() {
    const owner = await enter();
    await owner.page.goto(`${BASE}/`);
    await owner.page.getByRole("heading", { name: "Begin here" }).waitFor();
    const took = await owner.page.evaluate(() => Math.round(performance.getEntriesByName("first-contentful-paint")[0].startTime));
    const script = await owner.page.evaluate(() =>
      performance.getEntriesByType("resource").filter((one) => /\.js$/.test(one.name)).reduce((sum, one) => sum + one.encodedBodySize, 0));
    console.log(`first contentful paint after ${took} ms, ${script} bytes of script`);
    assert.ok(took < 1000, `${took} ms`);
    assert.ok(script > 0 && script < 150 * 1024, `${script} bytes of script`);
    await close(owner);
  },

  async "what is waited for has the shape of what comes"() {
    const owner = await enter();
    await owner.page.route("**/api/owner/**", async (route) => {
      if (/\/(session|live)/.test(route.request().url())) return route.continue();
      await new Promise((done) => setTimeout(done, 20_000));
    });
    for (const [path, heading] of VIEWS.filter(([path]) => path !== "/settings")) {
      await go(owner.page, path, heading);
      await owner.page.getByRole("status").filter({ visible: true }).first().waitFor();
      if (["/", "/receipts"].includes(path)) await shown(owner.page, `loading-${name(path)}`);
    }
    await owner.context.close();
  },

  async "what fails says so, and what to do"() {
    const owner = await enter();
    const error = { code: "log_read", message: "The log cannot be read.", next: "symbolon doctor", fault: "environment", http_status: 500 };
    const broken = /\/api\/owner\/(status|log|receipts|approvals|grants|agents|connections|services)/;
    await owner.page.route(broken, (route) => route.fulfill({ status: 500, json: error }));
    for (const [path, heading] of VIEWS.filter(([path]) => !["/live", "/settings"].includes(path))) {
      await go(owner.page, path, heading);
      await owner.page.getByRole("alert").getByText("The log cannot be read.").first().waitFor();
    }
    await shown(owner.page, "failed-log");
    await owner.page.unroute(broken);
    await owner.page.getByRole("button", { name: "Try again" }).click();
    await owner.page.getByRole("heading", { name: "Checkpoint" }).waitFor();
    await owner.context.close();
  },

  async "a lock is seen everywhere at once, and so is its end"() {
    const owner = await enter();
    await go(owner.page, "/settings", "Settings");
    await owner.page.getByRole("button", { name: "Lock it" }).click();
    await owner.page.getByRole("dialog").getByRole("button", { name: "Lock it" }).click();
    await owner.page.getByRole("heading", { name: "This broker is locked" }).waitFor();
    for (const [path, heading] of [["/", "Overview"], ["/log", "Log"], ["/settings", "Settings"]]) {
      await go(owner.page, path, heading);
      await owner.page.getByRole("heading", { name: "This broker is locked" }).waitFor();
      await shown(owner.page, `locked-${name(path)}`);
    }
    assert.equal(JSON.parse(symbolon("--json", "status")).unlocked, false);
    symbolon("unlock");
    await owner.page.getByRole("heading", { name: "This broker is locked" }).waitFor({ state: "detached" });
    await close(owner);
  },
});
