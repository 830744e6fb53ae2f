/** Accounts and ways in, in the Worker: one way is at hand at a time, and one change waits for the server. */
import type { AccountRequests, Brought, Proposed } from "./account.protocol";
import { Change, Opened, Password, Way } from "./core/symbolon_page_core.js";
import { lock, open, opened } from "./opened";
import type { Ask } from "./protocol";

type AccountAsk = Extract<Ask, { kind: keyof AccountRequests }>;

let way: Way | undefined;
/** The recovery code of a vault that was just made, until it can sign in. */
let code: Way | undefined;
let password: Password | undefined;
let change: Change | undefined;

export function isAccount(ask: Ask): ask is AccountAsk {
  return ask.kind.startsWith("account.") || ask.kind.startsWith("custody.");
}

export function account(ask: AccountAsk): unknown {
  switch (ask.kind) {
    case "account.create": {
      code?.free();
      code = Way.makeRecovery();
      const made = Opened.create(code, Date.now());
      open(made);
      return { vault: JSON.parse(made.overview()).vault, phrase: code.phrase() };
    }
    case "account.enrol": {
      const made = opened();
      made.adopt(made.add(atHand(), Date.now()));
      drop();
      return JSON.parse(made.signUp(Date.now()));
    }
    case "account.password":
      password?.free();
      password = undefined;
      password = new Password(bytes(ask.password), ask.isNew);
      return { request: password.request };
    case "account.password.finish": {
      const begun = password;
      password = undefined;
      if (!begun) throw new Error("no password was begun");
      const done = begun.finish(ask.response, ask.serverKey, ask.pinned);
      const proof = JSON.parse(done.proof);
      take(done.way());
      return { proof };
    }
    case "account.unlock":
      open(Opened.unlock(ask.view, atHand()));
      drop();
      return overview();
    case "account.overview":
      return overview();
    case "account.lock":
      drop();
      code?.free();
      code = undefined;
      change?.free();
      change = undefined;
      lock();
      return null;
    case "custody.bring":
      take(brought(ask));
      return { address: way?.address };
    case "custody.to-sign":
      return Way.toSign(ask.method, ask.origin, ask.vault);
    case "custody.code": {
      const taken = (!ask.isNew && code) || Way.makeRecovery();
      code = undefined;
      take(taken);
      return { phrase: taken.phrase() };
    }
    case "custody.key-proof":
      return JSON.parse(atHand().keyProof(ask.challenge, ask.purpose, ask.origin, ask.nonce));
    case "custody.sign-in":
      return base64url(atHand().signIn(ask.message));
    case "custody.add": {
      const made = opened();
      const now = Date.now();
      const proposed = ask.wrap === undefined ? made.add(atHand(), now) : made.replace(ask.wrap, atHand(), now);
      drop();
      return propose(proposed, ask.version);
    }
    case "custody.remove":
      return propose(opened().remove(ask.wrap), ask.version);
    case "custody.taken":
      if (!change) throw new Error("no change waits");
      opened().adopt(change);
      change = undefined;
      return overview();
    case "custody.refresh":
      opened().refresh(ask.view);
      return overview();
  }
}

function brought(ask: Brought): Way {
  switch (ask.method) {
    case "recovery":
      return Way.recovery(bytes(ask.words));
    case "passkey":
      return Way.passkey(bytes(ask.credential), bytes(ask.prf));
    case "ethereum":
      return Way.ethereum(ask.origin, ask.address, bytes(ask.first), ask.second && bytes(ask.second));
    case "solana":
      return Way.solana(ask.origin, ask.address, bytes(ask.first), ask.second && bytes(ask.second));
    case "seed":
      return Way.seed(ask.origin, bytes(ask.words), bytes(ask.passphrase));
  }
}

const bytes = (buffer: ArrayBuffer) => new Uint8Array(buffer);
const overview = () => JSON.parse(opened().overview());

function take(brought: Way): void {
  drop();
  way = brought;
}

function drop(): void {
  way?.free();
  way = undefined;
}

function atHand(): Way {
  if (!way) throw new Error("nothing was brought that opens a vault");
  return way;
}

/** Gives the way at hand away, to whom it is wiped by. */
export function takeAtHand(): Way {
  const taken = atHand();
  way = undefined;
  return taken;
}

function propose(proposed: Change, version: number): Proposed {
  change?.free();
  change = proposed;
  const body = JSON.parse(proposed.body(version)) as { wraps: { id: string }[] };
  // Wraps stand in the order in which they were made.
  return { body, warnings: proposed.warnings, wrap: body.wraps.at(-1)?.id };
}

function base64url(bytes: Uint8Array): string {
  return btoa(String.fromCharCode(...bytes)).replaceAll("+", "-").replaceAll("/", "_").replace(/=+$/, "");
}
