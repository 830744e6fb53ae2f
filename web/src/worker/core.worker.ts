/// <reference lib="webworker" />
import { account, isAccount } from "./account";
import initCore from "./core/symbolon_page_core.js";
import core from "./core/symbolon_page_core_bg.wasm?url";
import initVerify, { gave_way, verify } from "./core/symbolon_page_verify.js";
import verifier from "./core/symbolon_page_verify_bg.wasm?url";
import { home, isHome } from "./home";
import { isLease, lease } from "./lease";
import { opened } from "./opened";
import type { Ask, Refused, Reply } from "./protocol";
import { isRotate, rotate } from "./rotate";
import { Refused as NotDone } from "./vault/http";
import { isVault, vault } from "./vault/desk";

/** Each module when it is first asked for: who verifies a receipt has no vault. */
const loaded = new Map<string, Promise<unknown>>();

function ready({ kind }: Ask): Promise<unknown> {
  const [init, url] = kind === "verify" || kind === "gave_way" ? [initVerify, verifier] : [initCore, core];
  const loading = loaded.get(url) ?? init({ module_or_path: url });
  loaded.set(url, loading);
  return loading;
}

self.onmessage = async ({ data }: MessageEvent<Ask>) => {
  let reply: Reply;
  try {
    await ready(data);
    reply = { id: data.id, value: await answer(data) };
  } catch (error) {
    reply = { id: data.id, error: refused(error) };
  } finally {
    wipe(data);
  }
  self.postMessage(reply);
};

function answer(ask: Ask): unknown {
  if (isAccount(ask)) return account(ask);
  if (ask.kind === "core.warm") return null;
  if (isHome(ask)) return home(ask);
  if (isLease(ask)) return lease(ask);
  if (isRotate(ask)) return rotate(ask);
  if (isVault(ask)) return vault(ask, opened, (progress) => self.postMessage({ id: ask.id, progress } satisfies Reply));
  if (ask.kind === "gave_way") return gave_way(ask.kept, ask.now, new TextEncoder().encode(ask.succession));
  const [succession, text] = [ask.succession, ask.text].map((bytes) => bytes && new Uint8Array(bytes));
  return JSON.parse(verify(new Uint8Array(ask.file), ask.key, succession, text));
}

/** The core throws JSON; whatever else is thrown is a fault of the page. */
function refused(error: unknown): Refused {
  if (typeof error === "string") return JSON.parse(error) as Refused;
  if (error instanceof NotDone) return { code: error.code, message: error.message, ...(error.next ? { next: error.next } : {}) };
  return { code: "core", message: error instanceof Error ? error.message : String(error) };
}

/** What was handed over is not needed any more, whatever came of it. */
function wipe(ask: object): void {
  for (const value of Object.values(ask)) if (value instanceof ArrayBuffer) new Uint8Array(value).fill(0);
}
