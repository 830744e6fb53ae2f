/** Keys. One table: what works is what `?` lists. */
import { account } from "./account.svelte";
import { owner } from "./owner.svelte";
import { placesOf } from "./places";
import { go } from "./router.svelte";

/** What `g` goes to, for whoever is here. */
export const places = () => placesOf(account.isHere, owner.who.is === "owner");

/** Hears keys for the whole page. `help` shows or hides the list. Gives what ends it. */
export function listen(help: () => void): () => void {
  let begun = 0;
  const hear = (event: KeyboardEvent) => {
    if (event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey) return;
    const target = event.target instanceof HTMLElement ? event.target : document.body;
    if (target.closest("input, select, textarea, [contenteditable]")) {
      if (event.key === "Escape") target.blur();
      return;
    }
    if (event.key === "?") help();
    else if (document.querySelector("dialog[open]")) return;
    else if (event.key === "/") focus("[data-search]");
    else if (event.key === "j") step(1);
    else if (event.key === "k" && performance.now() - begun >= SECOND_KEY_MS) step(-1);
    else if (event.key === "g" && performance.now() - begun >= SECOND_KEY_MS) {
      begun = performance.now();
      return;
    } else if (performance.now() - begun < SECOND_KEY_MS) {
      const to = places().find(({ key }) => key === event.key);
      if (!to) return;
      go(to.path);
    } else return;
    begun = 0;
    event.preventDefault();
  };
  window.addEventListener("keydown", hear);
  return () => window.removeEventListener("keydown", hear);
}

function focus(selector: string): void {
  document.querySelector<HTMLElement>(selector)?.focus();
}

/** To the next or the last of the things that can be gone through. */
function step(by: number): void {
  const all = [...document.querySelectorAll<HTMLElement>("[data-step]")];
  const at = all.indexOf(document.activeElement as HTMLElement);
  const to = at < 0 ? (by > 0 ? 0 : all.length - 1) : Math.min(all.length - 1, Math.max(0, at + by));
  all[to]?.focus();
  all[to]?.scrollIntoView({ block: "nearest" });
}

const SECOND_KEY_MS = 1200;
