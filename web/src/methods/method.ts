/** A way to sign in and to open a vault, as it is used: prove to the server who is here, and put what opens the vault
 * into the Worker's hand. */
import type { Proved, Purpose } from "../api/account";

export interface Method {
  /** Answers a challenge of a purpose. */
  prove(purpose: Purpose): Promise<Proved>;
  /** Sees to it that what opens `vault` is at hand in the Worker. `isNew`: so that it can be added to it. */
  bring(vault: string, isNew: boolean): Promise<void>;
  /** What it is called where ways in are listed. */
  readonly name: string;
}

/** Why a way in is of no use now, in a pair: what went wrong, and what to do next. */
export class MethodError extends Error {
  override name = "MethodError";
  constructor(
    readonly code: "no_prf" | "cancelled" | "declined" | "no_account" | "unusable",
    message: string,
    readonly next: string,
  ) {
    super(message);
  }
}

/** A person says no by code 4001 (EIP-1193), or in the wallet's own words, which are not ours to repeat at length. */
export function declined(name: string, error: unknown): MethodError {
  const { code, message } = (error ?? {}) as { code?: unknown; message?: unknown };
  const words = typeof message === "string" ? message.slice(0, 120) : "";
  const says = code === 4001 || /reject|denied|cancel/i.test(words) ? `${name} was told not to sign.` : `${name} did not sign. ${words}`.trim();
  return new MethodError("declined", says, "Try again, or choose another way.");
}
