/** Attachments: a file is read once to be known, then sealed and sent chunk by chunk; what is there already is not sent
 * again. */
import { Vault } from "../core/symbolon_page_core.js";
import { codeOf, type Server } from "./http";
import type { Row } from "./types";

type Told = { id: string; blob: string; count: number; title?: string };
/** From 0 to 1. */
export type Progress = (done: number) => void;

async function read(vault: Vault, file: File, progress: Progress): Promise<void> {
  vault.read_file();
  const step = Vault.chunk_bytes();
  for (let at = 0; at < file.size; at += step) {
    vault.read_more(new Uint8Array(await file.slice(at, at + step).arrayBuffer()));
    progress((READING * at) / file.size);
  }
}

/** A new attachment: its item is sent before its chunks, so that their key is never lost. */
export async function add(vault: Vault, server: Server, file: File, send: () => Promise<unknown>, progress: Progress): Promise<string> {
  await read(vault, file, progress);
  const told = JSON.parse(vault.add_file(file.name, file.type || "application/octet-stream", undefined)) as Told;
  await send();
  await put(vault, server, file, told, progress);
  return told.id;
}

/** Goes on with an upload that broke off; the file has to be the same. */
export async function resume(vault: Vault, server: Server, item: string, file: File, progress: Progress): Promise<string> {
  await read(vault, file, progress);
  await put(vault, server, file, JSON.parse(vault.move_file(item, true)) as Told, progress);
  return item;
}

/** A file of a folder that is taken in: the one that is there already, or a new one. `why` it is not whole. */
export async function keep(vault: Vault, server: Server, file: File, folder: string | null, send: () => Promise<unknown>, progress: Progress): Promise<{ item: string; why: string | undefined }> {
  await read(vault, file, progress);
  const same = named(vault, file.name, folder);
  let told: Told | undefined;
  try {
    if (same) told = JSON.parse(vault.move_file(same, true)) as Told;
  } catch (error) {
    if (codeOf(error) !== "other_file") throw error;
    await read(vault, file, progress);
  }
  told ??= JSON.parse(vault.add_file(file.name, file.type || "application/octet-stream", folder ?? undefined)) as Told;
  try {
    await send();
    await put(vault, server, file, told, progress);
    return { item: told.id, why: undefined };
  } catch (error) {
    return { item: told.id, why: codeOf(error) ?? "failed" };
  }
}

/** The file of this name in a folder. */
function named(vault: Vault, name: string, folder: string | null): string | undefined {
  const list = { kinds: ["attachment"], within: folder ?? "root", tag: null, trashed: false, query: "", max: 10_000 };
  const { rows } = JSON.parse(vault.ask(JSON.stringify({ list }))) as { rows: Row[] };
  return rows.find(({ title }) => title === name)?.id;
}

async function put(vault: Vault, server: Server, file: File, { blob, count }: Told, progress: Progress): Promise<void> {
  const there = await present(server, blob);
  const step = Vault.chunk_bytes();
  for (let index = 0; index < count; index++) {
    if (!there.has(index)) {
      const plain = new Uint8Array(await file.slice(index * step, (index + 1) * step).arrayBuffer());
      await server.put(`/api/vault/blobs/${blob}/${index}`, vault.seal_chunk(index, plain) as Uint8Array<ArrayBuffer>);
    }
    progress(READING + ((1 - READING) * (index + 1)) / count);
  }
}

/** Which chunks the server has. */
async function present(server: Server, blob: string): Promise<Set<number>> {
  const { chunks } = JSON.parse(await server.text("GET", `/api/vault/blobs/${blob}`)) as { chunks: { index: number }[] };
  return new Set(chunks.map(({ index }) => index));
}

/** How many chunks are there, of how many. */
export async function state(vault: Vault, server: Server, item: string): Promise<{ there: number; count: number }> {
  const { blob, count } = JSON.parse(vault.move_file(item, false)) as Told;
  return { there: (await present(server, blob)).size, count };
}

/** All of it, opened and compared with what its owner sealed. */
export async function fetchAll(vault: Vault, server: Server, item: string, progress: Progress): Promise<File> {
  const { blob, count, title } = JSON.parse(vault.move_file(item, false)) as Told;
  const parts: Uint8Array<ArrayBuffer>[] = [];
  for (let index = 0; index < count; index++) {
    const sealed = await server.bytes(`/api/vault/blobs/${blob}/${index}`);
    parts.push(vault.open_chunk(index, sealed) as Uint8Array<ArrayBuffer>);
    progress((index + 1) / count);
  }
  // What a browser would run of it is only saved, never opened here.
  return new File(parts, title ?? "file", { type: "application/octet-stream" });
}

/** Takes its chunks away from the server, before its item is erased. */
export async function drop(vault: Vault, server: Server, item: string): Promise<void> {
  const { blob } = JSON.parse(vault.move_file(item, false)) as Told;
  try {
    await server.text("DELETE", `/api/vault/blobs/${blob}`);
  } catch (error) {
    if (codeOf(error) !== "missing") throw error;
  }
}

/** Reading is quick beside sending. */
const READING = 0.2;
