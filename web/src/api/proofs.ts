/** Proof sessions. All of it as nobody: what a holder shows is tied to no account of theirs here. */
import { ApiError, json, send } from "./client";

/** What the relying party keeps. Its members are those of `specs/proof.md`, "Evidence". */
export type Evidence = { statement: string; audience: string; verifying_key: string; demo?: boolean } & Record<string, unknown>;
export type Accepted = { accepted: true; evidence: Evidence; demo: boolean };

/** A question of the server's own demo, as it came: what is shown and what is answered are one text. */
export async function askAge(): Promise<string> {
  return (await send("/demo/age/session", { method: "POST", asNobody: true })).text();
}

export function show(presentation: string): Promise<Accepted> {
  const body = new TextEncoder().encode(presentation);
  return json<Accepted>("/api/proofs", { method: "POST", bytes: { type: "application/json", body }, asNobody: true });
}

/** Whether the server checks proofs by this key of the page's. */
export async function checksBy(statement: string, verifyingKey: string): Promise<void> {
  const { keys } = await json<{ keys: { statement: string; sha256: string }[] }>("/api/proofs/keys", { asNobody: true });
  if (keys.some((key) => key.statement === statement && key.sha256 === verifyingKey)) return;
  throw new ApiError("another_version", "This page and the server are of different versions.", "Load the page again.", 0);
}
