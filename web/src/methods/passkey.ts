/** Passkeys (WebAuthn Level 3) with the PRF extension: one tap signs in and opens the vault. What the PRF gives goes
 * to the Worker, and is not in what the server is sent. */
import * as api from "../api/account";
import { ask } from "../worker/core";
import { MethodError, type Method } from "./method";

export const hasPasskeys = () => typeof PublicKeyCredential === "function" && "parseCreationOptionsFromJSON" in PublicKeyCredential;

export function passkey(handle: string | undefined): Method {
  /** What is brought, once it was proved. */
  let secret: { credential: ArrayBuffer; prf: ArrayBuffer } | undefined;
  return {
    name: "Passkey",
    async prove(purpose) {
      const asked = await api.challenge({ purpose, method: "passkey", ...(handle && { handle }) });
      const isNew = purpose === "sign-up" || purpose === "add";
      const options = asked.passkey as PublicKeyCredentialCreationOptionsJSON & PublicKeyCredentialRequestOptionsJSON;
      const made = await (isNew ? create(options) : get(options));
      const extensions = made.getClientExtensionResults();
      const first = extensions.prf?.results?.first ?? (isNew ? await secondTap(made, options, extensions) : undefined);
      if (!first) throw noPrf(isNew);
      secret = { credential: made.rawId, prf: buffer(first) };
      return { challenge_id: asked.challenge_id, proof: withoutSecret(made) };
    },
    async bring() {
      if (!secret) throw new Error("no passkey was shown");
      const { credential, prf } = secret;
      secret = undefined;
      await ask("custody.bring", { method: "passkey", credential: credential.slice(0), prf });
    },
  };
}

/** An authenticator that makes the PRF ready at creation gives its output when it is asked the next time. */
async function secondTap(
  made: PublicKeyCredential,
  options: PublicKeyCredentialCreationOptionsJSON,
  extensions: AuthenticationExtensionsClientOutputs,
): Promise<BufferSource | undefined> {
  if (!extensions.prf?.enabled) return undefined;
  const { extensions: inputs } = PublicKeyCredential.parseCreationOptionsFromJSON(options);
  const shown = await tapped(() =>
    navigator.credentials.get({
      publicKey: {
        // No server sees this answer: it is asked for its PRF alone.
        challenge: crypto.getRandomValues(new Uint8Array(32)),
        rpId: options.rp.id ?? window.location.hostname,
        allowCredentials: [{ type: "public-key", id: made.rawId }],
        userVerification: "required",
        extensions: inputs?.prf ? { prf: inputs.prf } : {},
      },
    }),
  );
  return shown.getClientExtensionResults().prf?.results?.first;
}

const create = (options: PublicKeyCredentialCreationOptionsJSON) =>
  tapped(() => navigator.credentials.create({ publicKey: PublicKeyCredential.parseCreationOptionsFromJSON(options) }));

const get = (options: PublicKeyCredentialRequestOptionsJSON) =>
  tapped(() => navigator.credentials.get({ publicKey: PublicKeyCredential.parseRequestOptionsFromJSON(options) }));

/** What was tapped, or why nothing was. */
export async function tapped(tap: () => Promise<Credential | null>): Promise<PublicKeyCredential> {
  let credential: Credential | null;
  try {
    credential = await tap();
  } catch (error) {
    throw said(error);
  }
  if (credential instanceof PublicKeyCredential) return credential;
  throw new MethodError("cancelled", "No passkey was chosen.", "Try again, or choose another way.");
}

function said(error: unknown): unknown {
  if (!(error instanceof DOMException)) return error;
  switch (error.name) {
    case "NotAllowedError":
    case "AbortError":
      return new MethodError("cancelled", "No passkey was chosen.", "Try again, or choose another way.");
    case "InvalidStateError":
      return new MethodError("unusable", "This authenticator has a passkey that opens this already.", "Use that one, or choose another authenticator.");
    default:
      return new MethodError("unusable", "This browser cannot use a passkey here.", "Choose another way.");
  }
}

function noPrf(isNew: boolean): MethodError {
  return isNew
    ? new MethodError(
        "no_prf",
        "This authenticator makes passkeys that sign in, but cannot open a vault: it has no PRF.",
        "Use another authenticator, or a password. Nothing was made; you can delete this passkey.",
      )
    : new MethodError(
        "no_prf",
        "This authenticator gave no key for the vault: it has no PRF here.",
        "Use the passkey on the device where it was made, or open the vault another way.",
      );
}

/** The answer as JSON, without what opens the vault. */
function withoutSecret(made: PublicKeyCredential): unknown {
  const json = made.toJSON() as { clientExtensionResults: { prf?: { results?: unknown } } };
  if (json.clientExtensionResults.prf) delete json.clientExtensionResults.prf.results;
  return json;
}

/** A buffer of its own, which can be handed over whole. */
export function buffer(source: BufferSource): ArrayBuffer {
  if (source instanceof ArrayBuffer) return source;
  return new Uint8Array(source.buffer, source.byteOffset, source.byteLength).slice().buffer;
}
