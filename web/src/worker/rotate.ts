/** Another data key, in the Worker: what will open it, and the one change that puts it in place. */
import { takeAtHand } from "./account";
import type { VaultOverview } from "./account.protocol";
import { Rotation, Way, type Change } from "./core/symbolon_page_core.js";
import { opened } from "./opened";
import type { Ask } from "./protocol";
import type { RotateRequests } from "./rotate.protocol";
import { handOver } from "./vault/desk";

type RotateAsk = Extract<Ask, { kind: keyof RotateRequests }>;

let rotation: Rotation | undefined;
/** The new recovery code. */
let code: Way | undefined;
/** What was sent, until it is known whether the server took it. */
let sent: Change | undefined;

export const isRotate = (ask: Ask): ask is RotateAsk => ask.kind.startsWith("rotate.");

export async function rotate(ask: RotateAsk): Promise<unknown> {
  switch (ask.kind) {
    case "rotate.begin":
      forget();
      [rotation, code] = [new Rotation(), Way.makeRecovery()];
      return null;
    case "rotate.keep":
      return begun().keep(opened(), takeAtHand());
    case "rotate.code":
      return { phrase: newCode().phrase() };
    case "rotate.prove":
      return JSON.parse(newCode().keyProof(ask.challenge, ask.purpose, ask.origin, ask.nonce));
    case "rotate.make": {
      sent?.free();
      sent = begun().make(opened(), newCode(), Date.now());
      const { wraps } = JSON.parse(sent.body(0)) as { wraps: { id: string }[] };
      return { wrap: wraps.at(-1)?.id ?? "" };
    }
    case "rotate.send": {
      if (!sent) throw new Error("no rotation was made");
      const change = sent;
      await handOver(opened(), change, ask.csrf);
      // Taking it in took it.
      sent = undefined;
      forget();
      return JSON.parse(opened().overview()) as VaultOverview;
    }
    case "rotate.end":
      forget();
      return null;
  }
}

/** Wipes what was gathered. */
export function forget(): void {
  for (const one of [rotation, code, sent]) one?.free();
  [rotation, code, sent] = [undefined, undefined, undefined];
}

function begun(): Rotation {
  if (!rotation) throw new Error("no rotation was begun");
  return rotation;
}

function newCode(): Way {
  if (!code) throw new Error("no rotation was begun");
  return code;
}
