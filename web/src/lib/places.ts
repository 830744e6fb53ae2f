/** The views that one can go to, in the two areas of the page. */
export type Icon = "overview" | "live" | "approvals" | "receipts" | "grants" | "agents" | "connections" | "log" | "settings" | "ways" | "notes" | "items" | "share" | "lock";
export type Place = { key: string; path: string; name: string; icon: Icon };

/** For whoever has an account. */
export const VAULT: Place[] = [
  { key: "n", path: "/notes", name: "Notes", icon: "notes" },
  { key: "i", path: "/items", name: "Items", icon: "items" },
  { key: "h", path: "/shared", name: "Shared", icon: "share" },
  { key: "d", path: "/ways", name: "Ways in", icon: "ways" },
  { key: "u", path: "/leases", name: "Unlock leases", icon: "lock" },
  { key: "m", path: "/assistants", name: "Assistants", icon: "agents" },
];

/** For the broker's owner. */
export const AGENTS: Place[] = [
  { key: "o", path: "/", name: "Overview", icon: "overview" },
  { key: "l", path: "/live", name: "Live calls", icon: "live" },
  { key: "a", path: "/approvals", name: "Approvals", icon: "approvals" },
  { key: "r", path: "/receipts", name: "Receipts", icon: "receipts" },
  { key: "g", path: "/grants", name: "Grants", icon: "grants" },
  { key: "k", path: "/agents", name: "Agents", icon: "agents" },
  { key: "c", path: "/connections", name: "Connections", icon: "connections" },
  { key: "t", path: "/log", name: "Log", icon: "log" },
];

/** For both. */
export const SETTINGS: Place = { key: "s", path: "/settings", name: "Settings", icon: "settings" };

/** The places of whoever is here. */
export function placesOf(hasAccount: boolean, isOwner: boolean): Place[] {
  return [...(hasAccount ? VAULT : []), ...(isOwner ? AGENTS : []), SETTINGS];
}
