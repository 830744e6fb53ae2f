/** What an owner asks, one function a route. */
import { forgetWord, json, keepWord, send } from "./client";
import type {
  Agent,
  Approval,
  Approvals,
  Connection,
  Grant,
  LogHead,
  NewConnection,
  NewGrant,
  ReceiptRow,
  Service,
  ServiceRow,
  Session,
  Status,
  Verified,
} from "./types";

const OWNER = "/api/owner";
const at = (name: string | number) => encodeURIComponent(String(name));

/** A session for the code of a link. */
export async function openSession(code: string): Promise<Session> {
  const bytes = { type: "text/plain", body: new TextEncoder().encode(code) };
  const response = await send(`${OWNER}/session`, { method: "POST", bytes });
  keepWord(response);
  return response.json() as Promise<Session>;
}

/** A session for the account that is the owner's and just showed who it is. */
export async function openAs(account: string): Promise<Session> {
  const response = await send(`${OWNER}/session`, { method: "POST", account });
  keepWord(response);
  return response.json() as Promise<Session>;
}

/** The account that is signed in here is the owner's from now on. */
export const join = (account: string) => send(`${OWNER}/account`, { method: "POST", account });

/** The account that is the owner's, by its id. */
export const joined = async () => (await json<{ account: string | null }>(`${OWNER}/account`)).account;

/** The owner has no account any more. */
export const separate = () => send(`${OWNER}/account`, { method: "DELETE" });

export const session = () => json<Session>(`${OWNER}/session`);

export async function closeSession(): Promise<void> {
  await send(`${OWNER}/session`, { method: "DELETE" });
  forgetWord();
}

export const status = () => json<Status>(`${OWNER}/status`);
export const lock = () => json<Status>(`${OWNER}/lock`, { method: "POST" });
export const log = () => json<LogHead>(`${OWNER}/log`);

export type ReceiptsAsked = { limit?: number; before?: number; agent?: string; tool?: string };

export async function receipts(asked: ReceiptsAsked = {}): Promise<ReceiptRow[]> {
  const query = new URLSearchParams();
  for (const [name, value] of Object.entries(asked)) {
    if (value !== undefined && value !== "") query.set(name, String(value));
  }
  return (await json<{ receipts: ReceiptRow[] }>(`${OWNER}/receipts?${query}`)).receipts;
}

export const receipt = (number: number) => json<ReceiptRow>(`${OWNER}/receipts/${at(number)}`);

/** The bundle's bytes, as they came: what is verified is what was sent. */
export async function bundle(number: number): Promise<ArrayBuffer> {
  return (await send(`${OWNER}/receipts/${at(number)}/bundle`)).arrayBuffer();
}

export const approvals = () => json<Approvals>(`${OWNER}/approvals`);
export const approval = (number: number) => json<Approval>(`${OWNER}/approvals/${at(number)}`);

export function approve(number: number, rememberSeconds: number): Promise<Approval> {
  const yes = rememberSeconds > 0 ? { remember_seconds: rememberSeconds } : {};
  return json(`${OWNER}/approvals/${at(number)}/approve`, { method: "POST", json: yes });
}

export function deny(number: number, reason: string): Promise<Approval> {
  const no = reason ? { reason } : {};
  return json(`${OWNER}/approvals/${at(number)}/deny`, { method: "POST", json: no });
}

export const services = async () => (await json<{ services: ServiceRow[] }>(`${OWNER}/services`)).services;
export const service = (id: string) => json<Service>(`${OWNER}/services/${at(id)}`);

export const connections = async () =>
  (await json<{ connections: Connection[] }>(`${OWNER}/connections`)).connections;

export const connect = (made: NewConnection, credential: string) => described<Connection>("connections", made, credential);

/** Whether it could be used, and how an item of a vault says it. The broker keeps nothing of it. */
export const tryConnection = (made: NewConnection, credential: string) =>
  described<{ connection: Connection; scheme: string }>("try-connection", made, credential);

/** Sends a credential beside what is to be made of it, once, and wipes the bytes that were sent. */
async function described<T>(path: string, made: NewConnection, credential: string): Promise<T> {
  const encoder = new TextEncoder();
  const line = encoder.encode(`${JSON.stringify(made)}\n`);
  const secret = encoder.encode(credential);
  const body = new Uint8Array(line.length + secret.length);
  body.set(line);
  body.set(secret, line.length);
  secret.fill(0);
  try {
    const bytes = { type: "application/vnd.symbolon.connection", body };
    return await json<T>(`${OWNER}/${path}`, { method: "POST", bytes });
  } finally {
    body.fill(0);
  }
}

export const verifyConnection = (name: string) =>
  json<Verified>(`${OWNER}/connections/${at(name)}/verify`, { method: "POST" });
export const disconnect = (name: string) => send(`${OWNER}/connections/${at(name)}`, { method: "DELETE" });

export const agents = async () => (await json<{ agents: Agent[] }>(`${OWNER}/agents`)).agents;

/** Makes an agent's key and gives it, this once. */
export async function addAgent(name: string): Promise<string> {
  return (await send(`${OWNER}/agents/${at(name)}`, { method: "POST" })).text();
}

export const removeAgent = (name: string) => send(`${OWNER}/agents/${at(name)}`, { method: "DELETE" });

export const grants = async () => (await json<{ grants: Grant[] }>(`${OWNER}/grants`)).grants;
export const grant = (made: NewGrant) => json<Grant>(`${OWNER}/grants`, { method: "POST", json: made });
export const revoke = (id: number) => json<Grant>(`${OWNER}/grants/${at(id)}`, { method: "DELETE" });
