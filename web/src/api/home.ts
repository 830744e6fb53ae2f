/** The broker's home: how it is unlocked, and by what (`specs/custody.md`, "A tap in the page"). */
import { json, send } from "./client";
import type { Narrow, Schemas, Session, Status } from "./types";

const OWNER = "/api/owner";

export type TapPasskey = Schemas["TapPasskey"];
export type TapAsked = Narrow<Schemas["TapAsked"], { salt?: string }>;
export type Way = Schemas["Way"];

/** What the locked broker asks of whoever unlocks it. */
export const unlockKey = () => json<TapAsked>(`${OWNER}/unlock-key`);
export const unlock = (tap: Schemas["UnlockTap"]) => json<Status>(`${OWNER}/unlock`, { method: "POST", json: tap });

export const ways = async () => (await json<Schemas["Ways"]>(`${OWNER}/ways`)).ways;
export const wayKey = () => json<TapAsked>(`${OWNER}/way-key`);
export const addWay = (way: Schemas["NewWay"]) => json<Way>(`${OWNER}/ways`, { method: "POST", json: way });
export const removeWay = (id: string) => send(`${OWNER}/ways/${encodeURIComponent(id)}`, { method: "DELETE" });

/** The owner's session may change ways in for ten minutes: the owner's account, whose word this is, was confirmed. */
export const confirmSession = (account: string) => json<Session>(`${OWNER}/session/confirm`, { method: "POST", account });
