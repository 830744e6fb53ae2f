/** Assistants that may use the account's notes (`specs/remote-mcp.md`). */
import { ask, askJson } from "./account";
import type { Narrow, Schemas } from "./types";

/** What a person must see before they decide. */
export type Authorization = Narrow<Schemas["AuthorizationView"], { client_host: string | null; problem: Schemas["Problem"] | null }>;
export type Assistant = Narrow<Schemas["GrantRow"], { client_host: string | null; used_unix_ms: number | null }>;
export type ScopeView = Schemas["ScopeView"];
export type Decision = Schemas["Decision"];

export const request = (query: string) =>
  askJson<Authorization>("/api/oauth/request", { method: "POST", json: { query } });

/** Gives the address that the browser goes to then. */
export const decide = async (decision: Decision) =>
  (await askJson<{ address: string }>("/api/oauth/consent", { method: "POST", json: decision })).address;

export const assistants = async () => (await askJson<{ grants: Assistant[] }>("/api/oauth/grants")).grants;
export const disconnect = (id: string) => ask(`/api/oauth/grants/${id}`, { method: "DELETE" });
