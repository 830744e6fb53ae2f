/** Which ways an account has, as they are offered: the one that was used last comes first. */
import type { Credential, SignIn } from "../api/account";
import type { WayKind } from "../ui/Ways.svelte";
import { isCode } from "./ways";

export function kindsOf(credentials: Credential[], last: SignIn | undefined): WayKind[] {
  const methods = new Set(credentials.map(({ method }) => method));
  const all: [WayKind, boolean][] = [
    ["passkey", methods.has("passkey")],
    ["password", methods.has("password")],
    ["wallet", methods.has("ethereum") || methods.has("solana")],
    ["seed", methods.has("ethereum")],
    ["recovery", credentials.some(isCode)],
  ];
  const first = last === "ethereum" || last === "solana" ? "wallet" : last === "key" ? "recovery" : last;
  const there = all.filter(([, has]) => has).map(([kind]) => kind);
  return there.sort((one, other) => Number(other === first) - Number(one === first));
}
