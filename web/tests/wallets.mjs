// Wallets that really sign, by code that others wrote: ethers behind EIP-1193 and EIP-6963, TweetNaCl behind the
// Wallet Standard. They sign here in Node; the page sees a provider as an extension injects it.
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { secp256k1 } from "@noble/curves/secp256k1";
import { Signature, TypedDataEncoder, Wallet } from "ethers";
import nacl from "tweetnacl";

export const PHRASE = "test test test test test test test test test test test junk";
const ICON = "data:image/svg+xml,%3Csvg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 8 8'%3E%3Ccircle cx='4' cy='4' r='4' fill='%23777'/%3E%3C/svg%3E";

/** How a wallet signs typed data; RFC 6979 makes it the same each time. */
const SIGNS = {
  same: (wallet, domain, types, message) => wallet.signTypedData(domain, types, message),
  /** A good signature of the same request, and another one each time: what a wallet with random nonces gives. */
  hedged(wallet, ...asked) {
    const signed = secp256k1.sign(TypedDataEncoder.hash(...asked).slice(2), wallet.privateKey.slice(2), { extraEntropy: true });
    const [r, s] = [signed.r, signed.s].map((one) => `0x${one.toString(16).padStart(64, "0")}`);
    return Signature.from({ r, s, v: 27 + signed.recovery }).serialized;
  },
  /** A signature of something else. */
  other: (wallet, domain, types, message) => wallet.signTypedData(domain, types, { ...message, warning: "none" }),
};

/** An Ethereum wallet in a page. `state` can be changed while it is there. */
export async function ethereumWallet(page, { phrase = PHRASE, name = "Robin's wallet" } = {}) {
  const state = { wallet: Wallet.fromPhrase(phrase), refuses: false, signs: "same", asked: [] };
  await page.exposeFunction("ethereumRequest", async ({ method, params = [] }) => {
    state.asked.push(method);
    if (state.refuses && method !== "eth_chainId") return { error: { code: 4001, message: "User rejected the request." } };
    switch (method) {
      case "eth_requestAccounts":
        return { value: [state.wallet.address] };
      case "eth_chainId":
        return { value: "0x1" };
      case "personal_sign":
        return { value: await state.wallet.signMessage(Buffer.from(params[0].slice(2), "hex")) };
      case "eth_signTypedData_v4": {
        const typed = JSON.parse(params[1]);
        const { EIP712Domain: _, ...own } = typed.types;
        return { value: await SIGNS[state.signs](state.wallet, typed.domain, own, typed.message) };
      }
      default:
        return { error: { code: 4200, message: `${method} is not supported` } };
    }
  });
  await page.addInitScript(({ name, icon }) => {
    const provider = {
      request: async (asked) => {
        const { value, error } = await globalThis.ethereumRequest(asked);
        if (error) throw Object.assign(new Error(error.message), { code: error.code });
        return value;
      },
    };
    const detail = Object.freeze({ info: { uuid: "350670db-19fa-4704-a166-e52e178b59d2", name, icon, rdns: "test.robin" }, provider });
    const announce = () => dispatchEvent(new CustomEvent("eip6963:announceProvider", { detail }));
    addEventListener("eip6963:requestProvider", announce);
    announce();
  }, { name, icon: ICON });
  return state;
}

/** A Solana wallet in a page, registered by `@wallet-standard/wallet`. */
export async function solanaWallet(page, { name = "Sol's wallet", seed = new Uint8Array(32).fill(7) } = {}) {
  const keys = nacl.sign.keyPair.fromSeed(seed);
  const state = { keys, asked: [], wrong: false };
  await page.exposeFunction("solanaSign", (message) => {
    state.asked.push(Buffer.from(message).toString());
    const bytes = state.wrong ? Buffer.concat([Buffer.from(message), Buffer.from([state.asked.length])]) : Uint8Array.from(message);
    return [...nacl.sign.detached(bytes, keys.secretKey)];
  });
  const standard = createRequire(import.meta.url).resolve("@wallet-standard/wallet").replace(/\/lib\/.*$/, "/lib/esm/register.js");
  const register = readFileSync(standard, "utf8").replaceAll("export function", "function");
  const wallet = `{
    ${register}
    const publicKey = new Uint8Array(${JSON.stringify([...keys.publicKey])});
    const account = { address: "", publicKey, chains: ["solana:mainnet"], features: ["solana:signMessage"] };
    registerWallet({
      version: "1.0.0", name: ${JSON.stringify(name)}, icon: ${JSON.stringify(ICON)}, chains: ["solana:mainnet"], accounts: [account],
      features: {
        "standard:connect": { version: "1.0.0", connect: async () => ({ accounts: [account] }) },
        "solana:signMessage": {
          version: "1.0.0",
          signMessage: async (...asked) => Promise.all(asked.map(async ({ message }) => ({
            signedMessage: message, signature: new Uint8Array(await globalThis.solanaSign([...message])),
          }))),
        },
      },
    });
  }`;
  await page.addInitScript(wallet);
  return state;
}
