/** Solana wallets, found by the Wallet Standard. One message signs in, another opens the vault (`specs/wallet.md`). */
import * as api from "../api/account";
import { ask } from "../worker/core";
import { toBase58, toBase64Url, typed } from "./bytes";
import { declined, MethodError, type Method } from "./method";

type WalletAccount = { address: string; publicKey: Uint8Array; chains: readonly string[] };
type Features = {
  "standard:connect": { connect(): Promise<{ accounts: readonly WalletAccount[] }> };
  "solana:signMessage": {
    signMessage(...asked: { account: WalletAccount; message: Uint8Array }[]): Promise<readonly { signature: Uint8Array; signedMessage: Uint8Array }[]>;
  };
};
type StandardWallet = { name: string; icon: string; chains: readonly string[]; features: Partial<Features> };
export type SolanaWallet = { kind: "solana"; id: string; name: string; icon: string; features: Features };

/** Tells of each wallet that says it is there and can sign a message. Gives what ends it. */
export function findSolana(found: (wallet: SolanaWallet) => void): () => void {
  const register = (...wallets: StandardWallet[]) => {
    for (const { name, icon, chains, features } of wallets) {
      const signs = chains.some((chain) => chain.startsWith("solana:")) && features["standard:connect"] && features["solana:signMessage"];
      if (signs) found({ kind: "solana", id: `solana:${name}`, name, icon, features: features as Features });
    }
    return () => undefined;
  };
  const hear = (event: Event) => (event as CustomEvent<(app: { register: typeof register }) => void>).detail({ register });
  window.addEventListener("wallet-standard:register-wallet", hear);
  window.dispatchEvent(new CustomEvent("wallet-standard:app-ready", { detail: { register } }));
  return () => window.removeEventListener("wallet-standard:register-wallet", hear);
}

export function solana(handle: string | undefined, { name, features }: SolanaWallet): Method {
  let account: WalletAccount | undefined;
  const sign = async (text: string): Promise<Uint8Array<ArrayBuffer>> => {
    if (!account) throw new Error("no account of the wallet was chosen");
    const message = typed(text);
    try {
      const [signed] = await features["solana:signMessage"].signMessage({ account, message });
      if (signed) return new Uint8Array(signed.signature);
    } catch (error) {
      throw declined(name, error);
    }
    throw new MethodError("declined", `${name} signed nothing.`, "Try again, or choose another way.");
  };
  return {
    name,
    async prove(purpose) {
      const { accounts } = await features["standard:connect"].connect().catch((error: unknown) => {
        throw declined(name, error);
      });
      account = accounts.find(({ chains }) => chains.some((chain) => chain.startsWith("solana:")));
      if (!account) throw new MethodError("no_account", `${name} shows no Solana account.`, "Choose an account in the wallet, and try again.");
      const address = toBase58(account.publicKey);
      const asked = await api.challenge({ purpose, method: "solana", address, ...(handle && { handle }) });
      return { challenge_id: asked.challenge_id, proof: { signature: toBase64Url(await sign(asked.message ?? "")) } };
    },
    async bring(vault, isNew) {
      const origin = window.location.origin;
      const request = await ask("custody.to-sign", { method: "solana", origin, vault });
      const first = (await sign(request)).buffer;
      const second = isNew ? (await sign(request)).buffer : undefined;
      const address = account ? toBase58(account.publicKey) : "";
      await ask("custody.bring", { method: "solana", origin, address, first, second });
    },
  };
}
