/** A passkey that opens the broker's home. It is asked for its PRF alone: no server sees the rest of its answer. */
import type { TapAsked } from "../api/home";
import { fromBase64Url } from "./bytes";
import { MethodError } from "./method";
import { buffer, tapped } from "./passkey";

export type Tapped = { credential: ArrayBuffer; prf: ArrayBuffer };

/** Whether a passkey can be bound to this page's address: a name is wanted, and numbers are none. */
export const isNamed = () => !/^(\[.*\]|[\d.]+)$/.test(window.location.hostname);

/** The same page by a name, where it is on this machine. */
export const byName = () => `${window.location.protocol}//localhost:${window.location.port}`;

/** Asks one of these passkeys, by their ids. */
export async function show(asked: TapAsked, among: string[]): Promise<Tapped> {
  const shown = await tapped(() =>
    navigator.credentials.get({
      publicKey: {
        challenge: challenge(),
        rpId: window.location.hostname,
        allowCredentials: among.map((id) => ({ type: "public-key", id: fromBase64Url(id) })),
        userVerification: "required",
        extensions: prfOf(asked),
      },
    }),
  );
  const first = shown.getClientExtensionResults().prf?.results?.first;
  if (!first) throw noPrf("Use the passkey on the device where it was made, or run symbolon unlock in a terminal.");
  return { credential: shown.rawId, prf: buffer(first) };
}

/** Makes a passkey for this home alone. */
export async function make(asked: TapAsked): Promise<Tapped> {
  const made = await tapped(() =>
    navigator.credentials.create({
      publicKey: {
        challenge: challenge(),
        rp: { id: window.location.hostname, name: "Symbolon" },
        user: { id: crypto.getRandomValues(new Uint8Array(16)), name: "Symbolon broker", displayName: "Symbolon broker" },
        pubKeyCredParams: [-8, -7, -257].map((alg) => ({ type: "public-key", alg })),
        authenticatorSelection: { residentKey: "preferred", userVerification: "required" },
        excludeCredentials: asked.passkeys.map(({ credential }) => ({ type: "public-key", id: fromBase64Url(credential) })),
        extensions: prfOf(asked),
      },
    }),
  );
  const { prf } = made.getClientExtensionResults();
  if (prf?.results?.first) return { credential: made.rawId, prf: buffer(prf.results.first) };
  if (!prf?.enabled) throw noPrf("Use another authenticator. Nothing was added; you can delete the passkey that was just made.");
  // It made its PRF ready, and gives the output when it is asked the next time.
  return show(asked, [made.id]);
}

const challenge = () => crypto.getRandomValues(new Uint8Array(32));
const prfOf = ({ prf }: TapAsked): AuthenticationExtensionsClientInputs => ({ prf: { eval: { first: fromBase64Url(prf) } } });

const noPrf = (next: string) => new MethodError("no_prf", "This authenticator has no PRF: its passkeys sign in, and unlock nothing.", next);
