/** The address holds the state: a path for the view, a query for what is looked for in it. */
import { tick } from "svelte";

type Place = { path: string; segments: string[]; query: URLSearchParams };

function read(): Place {
  const { pathname, search } = window.location;
  const segments = pathname.split("/").filter(Boolean).map(decoded);
  return { path: pathname, segments, query: new URLSearchParams(search) };
}

/** A path that is no encoding of anything names no view. */
function decoded(segment: string): string {
  try {
    return decodeURIComponent(segment);
  } catch {
    return segment;
  }
}

let place = $state.raw<Place>(read());

export const here = () => place;

export function go(to: string): void {
  if (to !== window.location.pathname + window.location.search) {
    history.pushState(null, "", to);
    place = read();
  }
  window.scrollTo(0, 0);
  // What is read out is the new view's title, as after a load.
  void tick().then(() => document.querySelector<HTMLElement>("main h1")?.focus({ preventScroll: true }));
}

/** Changes the query in place: looking for something is no step back. */
export function ask(query: Record<string, string>): void {
  const next = new URLSearchParams(Object.entries(query).filter(([, value]) => value !== ""));
  const text = next.toString();
  history.replaceState(null, "", window.location.pathname + (text ? `?${text}` : ""));
  place = read();
}

/** The key of a share's link, taken out of the address before anything else happens: it stays in no history. */
export const shareKey = takeKey();

function takeKey(): string {
  if (!window.location.pathname.startsWith("/s/")) return "";
  const key = window.location.hash.slice(1);
  if (window.location.hash) history.replaceState(null, "", window.location.pathname);
  return key;
}

/** The code of a link, taken out of the address before anything else happens. */
export function takeLink(): string | undefined {
  const code = /^#link=([\w-]{43})$/.exec(window.location.hash)?.[1];
  if (window.location.hash) history.replaceState(null, "", window.location.pathname + window.location.search);
  return code;
}

window.addEventListener("popstate", () => {
  place = read();
});

document.addEventListener("click", (event) => {
  if (event.defaultPrevented || event.button !== 0 || event.metaKey || event.ctrlKey || event.shiftKey) return;
  const link = event.target instanceof Element ? event.target.closest("a") : null;
  if (!link || link.target || link.hasAttribute("download") || link.origin !== window.location.origin) return;
  if (link.protocol === "blob:" || link.hash) return;
  event.preventDefault();
  go(link.pathname + link.search);
});
