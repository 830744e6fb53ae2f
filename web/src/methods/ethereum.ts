/** Ethereum wallets: found by EIP-6963, asked by EIP-1193. One signature signs in (ERC-4361), another opens the vault
 * (EIP-712, `specs/wallet.md`). */
import * as api from "../api/account";
import { ask } from "../worker/core";
import { fromHex, toBase64Url, toHex, typed } from "./bytes";
import { declined, MethodError, type Method } from "./method";

export type EthereumProvider = { request(asked: { method: string; params?: unknown[] }): Promise<unknown> };
export type EthereumWallet = { kind: "ethereum"; id: string; name: string; icon: string; provider: EthereumProvider };

type Announced = CustomEvent<{ info: { uuid: string; name: string; icon: string }; provider: EthereumProvider }>;

/** Tells of each wallet that says it is there. Gives what ends it. */
export function findEthereum(found: (wallet: EthereumWallet) => void): () => void {
  const hear = (event: Event) => {
    const { info, provider } = (event as Announced).detail;
    found({ kind: "ethereum", id: `ethereum:${info.uuid}`, name: info.name, icon: info.icon, provider });
  };
  window.addEventListener("eip6963:announceProvider", hear);
  window.dispatchEvent(new Event("eip6963:requestProvider"));
  return () => window.removeEventListener("eip6963:announceProvider", hear);
}

export function ethereum(handle: string | undefined, { name, provider }: EthereumWallet): Method {
  let address = "";
  const send = async <T>(method: string, params: unknown[] = []): Promise<T> => {
    try {
      return (await provider.request({ method, params })) as T;
    } catch (error) {
      throw declined(name, error);
    }
  };
  return {
    name,
    async prove(purpose) {
      address = (await send<string[]>("eth_requestAccounts"))[0] ?? "";
      if (!address) throw new MethodError("no_account", `${name} shows no account.`, "Choose an account in the wallet, and try again.");
      const chain = Number(await send<string>("eth_chainId"));
      const asked = await api.challenge({ purpose, method: "ethereum", address, chain_id: chain, ...(handle && { handle }) });
      const message = toHex(typed(asked.message ?? ""));
      const signature = toBase64Url(fromHex(await send<string>("personal_sign", [message, address])));
      return { challenge_id: asked.challenge_id, proof: { signature } };
    },
    async bring(vault, isNew) {
      const origin = window.location.origin;
      const request = await ask("custody.to-sign", { method: "ethereum", origin, vault });
      const sign = async () => fromHex(await send<string>("eth_signTypedData_v4", [address, request])).buffer;
      const first = await sign();
      const second = isNew ? await sign() : undefined;
      await ask("custody.bring", { method: "ethereum", origin, address, first, second });
    },
  };
}
