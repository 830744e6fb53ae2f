/** The vault of this Worker: opened from the account's key, answering what the page asks of it. */
import { Vault, type Change, type Opened } from "../core/symbolon_page_core.js";
import type { Handed } from "../prove.protocol";
import { Refused, Server } from "./http";
import * as file from "./file";
import * as handover from "./handover";
import * as copy from "./kept";
import * as share from "./share";
import { sync } from "./sync";
import type { Draft, Past, Started, State, Synced, VaultRequests } from "./types";

type Kind = keyof VaultRequests;
export type VaultAsk = { [K in Kind]: { kind: K } & VaultRequests[K]["ask"] }[Kind];

export const isVault = (ask: { kind: string }): ask is VaultAsk => /^(?:vault|link)\./.test(ask.kind);

type Desk = { vault: Vault; id: string; server: Server; keeper: ReturnType<typeof copy.keeper>; isKept: boolean };

let desk: Desk | undefined;
/** One exchange with the server at a time. */
let queue: Promise<unknown> = Promise.resolve();

export async function vault(ask: VaultAsk, opened: () => Opened, progress: file.Progress): Promise<unknown> {
  if (ask.kind === "vault.open") return open(opened(), ask.csrf);
  if (ask.kind === "link.open") return share.openLink(ask.share, ask.fragment);
  if (ask.kind === "link.secret") return share.linkSecret(ask.name);
  const { vault, server } = here();
  switch (ask.kind) {
    case "vault.ask": {
      const told: unknown = JSON.parse(vault.ask(ask.question));
      changed(ask.question);
      return told;
    }
    case "vault.save":
      return save(vault, ask);
    case "vault.secret":
      if (ask.name === HOLDER) throw new Refused("missing", "A holder's record is shown to nobody.", undefined, 0);
      return vault.secret(ask.item, ask.name).buffer;
    case "vault.hand":
      return hand(vault, ask.item, ask.to);
    case "vault.sync":
      server.csrf = ask.csrf;
      return inTurn(() => exchange());
    case "vault.keep":
      return keep();
    case "vault.rekey":
      return inTurn(async () => vault.go_on(opened()));
    case "vault.history":
      return inTurn(() => history(vault, server, ask.item));
    case "vault.revert":
      vault.revert(ask.item, ask.number);
      here().isKept = false;
      return null;
    case "vault.recipient":
      return share.recipient(server, ask.handle);
    case "vault.share":
      return share.send(vault, server, ask);
    case "vault.link":
      return share.link(vault, server, ask);
    case "vault.shares":
      return share.list(vault, server);
    case "vault.unshare":
      await server.text("DELETE", `/api/shares/${ask.share}`);
      return null;
    case "vault.look":
      return share.look(vault, server, ask.share);
    case "vault.take":
      here().isKept = false;
      return share.take(vault, ask.share);
    case "vault.attach":
      return inTurn(() => file.add(vault, server, ask.file, exchange, progress));
    case "vault.resume":
      return inTurn(() => file.resume(vault, server, ask.item, ask.file, progress));
    case "vault.chunks":
      return inTurn(() => file.state(vault, server, ask.item));
    case "vault.fetch":
      return inTurn(() => file.fetchAll(vault, server, ask.item, progress));
    case "vault.export":
      return inTurn(async () => {
        const { exportMarkdown, exportBitwarden } = await import("./transfer");
        return ask.as === "markdown" ? exportMarkdown(vault, server, progress) : exportBitwarden(vault);
      });
    case "vault.import":
      return taken(async () => (await import("./transfer")).importMarkdown(vault, server, ask.given, exchange, progress));
    case "vault.import-bitwarden":
      return taken(async () => (await import("./transfer")).importBitwarden(vault, ask.file, ask.passphrase));
    case "vault.drop":
      await inTurn(() => file.drop(vault, server, ask.item));
      return null;
  }
}

async function open(opened: Opened, csrf: string): Promise<Started> {
  end();
  const { vault: id } = JSON.parse(opened.overview()) as { vault: string };
  const kept = await copy.read(id).catch(() => undefined);
  const vault = Vault.open(opened, kept);
  desk = { vault, id, server: new Server(csrf), keeper: copy.keeper(id), isKept: true };
  return { ...(JSON.parse(vault.state()) as State), kept: vault.kept() as Started["kept"] };
}

/** Wipes its keys. What was not sent yet stays in the kept copy alone. */
export function end(): void {
  share.forget();
  desk?.keeper.end();
  desk?.vault.free();
  desk = undefined;
}

function here(): Desk {
  if (!desk) throw new Refused("locked", "The vault is locked.", "Open it again.", 0);
  return desk;
}

function inTurn<T>(act: () => Promise<T>): Promise<T> {
  const next = queue.then(act, act);
  queue = next.catch(() => undefined);
  return next;
}

/** What an import took in is kept before anybody hears of it. */
function taken<T>(act: () => Promise<T>): Promise<T> {
  return inTurn(async () => {
    here().isKept = false;
    const done = await act();
    await keep();
    return done;
  });
}

async function exchange(): Promise<Synced> {
  const at = here();
  sealAnew(RESEAL_STEP);
  const done = await sync(at.vault, at.server, keep);
  if (done.changed.length > 0 || done.sent > 0) at.isKept = false;
  return { ...done, old: sealAnew(0) };
}

/** Seals anew what an older data key sealed, where this tab is the one that keeps. Gives how many are left. */
function sealAnew(max: number): number {
  const at = here();
  if (!at.keeper.writes()) return 0;
  try {
    const before = at.vault.reseal(0);
    if (before === 0 || max === 0) return before;
    at.isKept = false;
    return at.vault.reseal(max);
  } catch {
    // One that does not open stays as it is, and says so where it is looked at: it holds nothing else up.
    return 0;
  }
}

/** Puts another data key in place at the server, then here. */
export function handOver(opened: Opened, change: Change, csrf: string): Promise<void> {
  const at = here();
  at.server.csrf = csrf;
  return inTurn(async () => {
    await handover.put(at.vault, at.server, opened, change, exchange);
    opened.adopt(change);
    at.vault.go_on(opened);
    at.isKept = false;
    await keep();
  });
}

const READS = /^\{"(?:list|frame|item|resolve)":/;

function changed(question: string): void {
  if (!READS.test(question)) here().isKept = false;
}

/** Writes the sealed copy where this tab is the one that does; says whether what is in it is all that there is. */
async function keep(): Promise<boolean> {
  const at = here();
  if (at.isKept) return true;
  if (!at.keeper.writes()) return false;
  at.isKept = true;
  try {
    await copy.write(at.id, at.vault.snapshot());
    return true;
  } catch {
    // A browser that stores nothing, or no more: what waits is in this tab alone, and the page says so.
    at.isKept = false;
    return false;
  }
}

function save(vault: Vault, ask: { item: string | null; folder: string | null; draft: Draft; secrets: ArrayBuffer[] }): string {
  const slots = ask.secrets.map((secret) => {
    const bytes = new Uint8Array(secret);
    const slot = vault.put_secret(bytes);
    bytes.fill(0);
    return slot;
  });
  // Slots of the request are places in its list; those of the core are its own numbers.
  const draft = JSON.parse(JSON.stringify(ask.draft), (key, value: unknown) => (key === "slot" ? slots[value as number] : value)) as Draft;
  here().isKept = false;
  if (ask.item === null) return JSON.parse(vault.ask(JSON.stringify({ create: { draft, folder: ask.folder } }))) as string;
  vault.ask(JSON.stringify({ save: { id: ask.item, draft } }));
  return ask.item;
}

/** To the prover's Worker. Who waits there is told too where it cannot be had. */
function hand(vault: Vault, item: string, to: MessagePort): null {
  try {
    const record = vault.secret(item, HOLDER) as Uint8Array<ArrayBuffer>;
    to.postMessage({ record: record.buffer } satisfies Handed, [record.buffer]);
  } catch (error) {
    to.postMessage({ error: { code: "missing", message: "These claims are not in the vault any more." } } satisfies Handed);
    throw error;
  }
  return null;
}

async function history(vault: Vault, server: Server, item: string): Promise<Past[]> {
  const { revisions } = JSON.parse(await server.text("GET", `/api/vault/items/${item}/revisions`)) as { revisions: { number: number }[] };
  const answers: string[] = [];
  for (const { number } of revisions.slice(0, HISTORY_MAX)) {
    answers.push(await server.text("GET", `/api/vault/items/${item}/revisions/${number}`));
  }
  return JSON.parse(vault.history(item, `[${answers.join(",")}]`)) as Past[];
}

const HOLDER = "holder";
const HISTORY_MAX = 51;
/** As many as the core seals within a moment. */
const RESEAL_STEP = 200;
