/** The vault that is open here, for whatever in this Worker works with it. */
import type { Opened } from "./core/symbolon_page_core.js";

let vault: Opened | undefined;

export function open(opened: Opened): void {
  vault?.free();
  vault = opened;
}

/** Throws where nothing is open. */
export function opened(): Opened {
  if (!vault) throw JSON.stringify({ code: "locked", message: "The vault is locked.", next: "Open it again." });
  return vault;
}

/** Wipes its keys. */
export function lock(): void {
  vault?.free();
  vault = undefined;
}
