/** A vault in and out: the page's core and the module that reads and writes files of others hand each other sealed copies
 * of items. What is in the clear is the file that somebody chose, or is about to save. */
import { Linked, type Vault } from "../core/symbolon_page_core.js";
import initImport, { Mirror } from "../core/symbolon_page_import.js";
import wasm from "../core/symbolon_page_import_bg.wasm?url";
import * as file from "./file";
import { codeOf, Refused, type Server } from "./http";
import type { Exported, Frame, Imported, LeftOut, Listed, Row } from "./types";
import { unpacked, Zip } from "./zip";

export type Given = { path: string; file: File };

/** What a mirror took in: the items to hand over, and what belongs to them. */
type Taken = {
  items: string[];
  updated: number;
  unchanged: number;
  folders: { id: string; title: string; folder: string | null }[];
  files: { item: string; path: string; folder: string | null }[];
  left_out: LeftOut[];
};

/** What Bitwarden's file holds. */
type Written = { folders: number; logins: number; notes: number; left_out: LeftOut[]; changed: LeftOut[] };

let ready: Promise<unknown> | undefined;

async function mirror(): Promise<Mirror> {
  await (ready ??= initImport({ module_or_path: wasm }));
  return new Mirror();
}

/** All notes as a zip of Markdown files, with the files beside them. */
export async function exportMarkdown(vault: Vault, server: Server, progress: file.Progress): Promise<Exported> {
  const here = await mirror();
  try {
    await mirrorAll(vault, here);
    const done = JSON.parse(here.write_markdown()) as { files: { path: string; item: string | null }[]; left_out: LeftOut[] };
    // What is no note and no file is told once, by its kind.
    const left = [...done.left_out, ...unread(vault)];
    const zip = new Zip();
    let [notes, files] = [0, 0];
    for (const [at, { path, item }] of done.files.entries()) {
      progress(at / done.files.length);
      if (item === null) {
        zip.add(path, here.written(path) ?? new Uint8Array());
        notes++;
        continue;
      }
      try {
        const whole = await file.fetchAll(vault, server, item, () => undefined);
        zip.add(path, new Uint8Array(await whole.arrayBuffer()));
        files++;
      } catch (error) {
        if (codeOf(error) === "unreachable") throw error;
        left.push({ what: path, why: "its upload was never finished" });
      }
    }
    return { file: zip.file("notes.zip"), items: notes, files, left_out: left, changed: [] };
  } finally {
    here.free();
  }
}

/** Logins, API keys and notes as Bitwarden's unencrypted JSON. */
export async function exportBitwarden(vault: Vault): Promise<Exported> {
  const here = await mirror();
  try {
    await mirrorAll(vault, here);
    const { left_out, changed, logins, notes } = JSON.parse(here.write_bitwarden()) as Written;
    const bytes = here.written(BITWARDEN) ?? new Uint8Array();
    const file = new File([bytes as Uint8Array<ArrayBuffer>], "bitwarden.json", { type: "application/json" });
    bytes.fill(0);
    return { file, items: logins + notes, files: 0, left_out: [...left_out, ...unread(vault)], changed };
  } finally {
    here.free();
  }
}

/** Takes a folder of files in, or a zip of one. */
export async function importMarkdown(vault: Vault, server: Server, given: Given[], send: () => Promise<unknown>, progress: file.Progress): Promise<Imported> {
  const only = given.length === 1 && /\.zip$/i.test(given[0]?.path ?? "") ? given[0] : undefined;
  const all = only ? unpacked(new Uint8Array(await only.file.arrayBuffer())) : given;
  const [here, left] = [await mirror(), [] as LeftOut[]];
  try {
    const byPath = new Map<string, File>();
    let bytes = 0;
    for (const { path, file } of all) {
      const isNote = /\.md$/i.test(path);
      bytes += isNote ? file.size : 0;
      if (isNote && (file.size > NOTE_BYTES_MAX || bytes > NOTES_BYTES_MAX)) left.push({ what: path, why: "it is too long" });
      else if (file.size > FILE_BYTES_MAX) left.push({ what: path, why: "it is longer than 100 MiB" });
      else {
        byPath.set(path, file);
        // Of a file that is no note the core reads the bytes itself, piece by piece.
        here.read(path, isNote ? new Uint8Array(await file.arrayBuffer()) : new TextEncoder().encode(path));
      }
    }
    mirrorFolders(vault, here);
    for (const id of JSON.parse(here.named()) as string[]) mirrorNamed(vault, here, id);
    const taken = JSON.parse(here.take_markdown()) as Taken;
    const folders = makeFolders(vault, taken);
    const files: Record<string, string> = {};
    for (const [at, one] of taken.files.entries()) {
      const from = byPath.get(one.path);
      if (!from) continue;
      const within = folders.get(one.folder ?? "") ?? one.folder;
      const { item, why } = await file.keep(vault, server, from, within, send, (done) => progress((at + done) / taken.files.length));
      files[one.item] = item;
      if (why) left.push({ what: one.path, why: `its upload broke off (${why}); choose it again where it is listed` });
    }
    return put(vault, here, taken, { folders, files }, left);
  } finally {
    here.free();
  }
}

/** Takes Bitwarden's JSON in. `sealed` is refused without its passphrase. */
export async function importBitwarden(vault: Vault, from: File, passphrase: ArrayBuffer | undefined): Promise<Imported> {
  if (from.size > EXPORT_BYTES_MAX) throw new Refused("file", "The file is longer than any export that is read here.", undefined, 0);
  const here = await mirror();
  try {
    mirrorFolders(vault, here);
    const words = passphrase && new Uint8Array(passphrase);
    const taken = JSON.parse(here.take_bitwarden(new Uint8Array(await from.arrayBuffer()), words)) as Taken;
    return put(vault, here, taken, { folders: makeFolders(vault, taken), files: {} }, []);
  } finally {
    here.free();
  }
}

type Made = { folders: Map<string, string>; files: Record<string, string> };

/** Hands the items over, one after the other and without a pause: all of them are kept, or none. */
function put(vault: Vault, here: Mirror, taken: Taken, made: Made, left: LeftOut[]): Imported {
  const files = JSON.stringify(made.files);
  for (const item of taken.items) {
    const copy = here.copy(item, files);
    const at = JSON.parse(copy.at) as { id: string; folder: string | null; pinned: boolean; template: boolean; times: [number, number] };
    const folder = made.folders.get(at.folder ?? "") ?? at.folder;
    const hand = (id: string) => {
      const linked = Linked.open(copy.share, copy.fragment, copy.sealed);
      vault.put_copy(linked, id, folder, Number(at.pinned) + 2 * Number(at.template), ...at.times);
    };
    try {
      hand(at.id);
    } catch (error) {
      if (codeOf(error) !== "missing") throw error;
      // An id that was erased here is nobody's any more.
      hand(anId());
    }
    copy.free();
  }
  const { updated, unchanged } = taken;
  return { created: taken.items.length - updated, updated, unchanged, files: taken.files.length, left_out: [...left, ...taken.left_out] };
}

/** Makes the folders that are new; gives what each is called here. */
function makeFolders(vault: Vault, { folders }: Taken): Map<string, string> {
  const made = new Map<string, string>();
  for (const { id, title, folder } of folders) {
    const draft = { title, body: "", tags: [], pinned: false, template: false, contents: { folder: {} } };
    const within = made.get(folder ?? "") ?? folder;
    made.set(id, JSON.parse(vault.ask(JSON.stringify({ create: { draft, folder: within } }))) as string);
  }
  return made;
}

const ask = <T>(vault: Vault, question: object) => JSON.parse(vault.ask(JSON.stringify(question))) as T;
const frame = (vault: Vault) => ask<Frame>(vault, { frame: {} });

function mirrorFolders(vault: Vault, here: Mirror): void {
  here.put_folders(JSON.stringify(frame(vault).folders));
}

/** What of the vault has an id that a file claims. */
function mirrorNamed(vault: Vault, here: Mirror, id: string): void {
  let row: Row;
  try {
    row = ask<{ row: Row }>(vault, { item: { id } }).row;
  } catch (error) {
    if (codeOf(error) === "missing") return;
    throw error;
  }
  if (row.kind === "folder") return;
  if (row.kind === "note") mirrorItem(vault, here, row);
  else here.put_taken(JSON.stringify(row));
}

function mirrorItem(vault: Vault, here: Mirror, row: Row): void {
  const copy = vault.share_link(row.id);
  here.put_copy(copy.id, new TextEncoder().encode(copy.fragment), copy.sealed, JSON.stringify(row));
  copy.free();
}

async function mirrorAll(vault: Vault, here: Mirror): Promise<void> {
  mirrorFolders(vault, here);
  for (const row of rows(vault)) {
    if (row.kind === "attachment") here.put_file(JSON.stringify(row));
    else mirrorItem(vault, here, row);
  }
}

/** Every item that is no folder and not in the trash. A list has an end: then each folder is listed by itself. */
function rows(vault: Vault): Row[] {
  const kinds: Row["kind"][] = ["note", "profile", "login", "api_key", "connection", "attachment"];
  const list = (within: string | null) => {
    const asked: Listed = { kinds, within, tag: null, trashed: false, query: "", max: 10_000 };
    return ask<{ total: number; rows: Row[] }>(vault, { list: asked });
  };
  const all = list(null);
  if (all.rows.length === all.total) return all.rows;
  const places = ["root", ...frame(vault).folders.map(({ id }) => id)].map(list);
  if (places.some(({ rows, total }) => rows.length < total)) {
    throw new Refused("too_many", "One folder has more than 10,000 items.", "Use symbolon note export, which takes any number.", 0);
  }
  return places.flatMap(({ rows }) => rows);
}

function unread(vault: Vault): LeftOut[] {
  const { unreadable } = frame(vault);
  return unreadable > 0 ? [{ what: unreadable === 1 ? "One item" : `${unreadable} items`, why: "it does not open here" }] : [];
}

/** 16 random bytes. */
const anId = () => Array.from(crypto.getRandomValues(new Uint8Array(16)), (byte) => byte.toString(16).padStart(2, "0")).join("");

/** What the file is called among those that the mirror wrote. */
const BITWARDEN = "bitwarden.json";
/** As the command line takes them: a note's text and its front matter; all notes. */
const NOTE_BYTES_MAX = 2 << 20;
const NOTES_BYTES_MAX = 128 << 20;
const FILE_BYTES_MAX = 100 << 20;
const EXPORT_BYTES_MAX = 16 << 20;
