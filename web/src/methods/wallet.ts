/** What wallets have in common. */
import { findEthereum, type EthereumWallet } from "./ethereum";
import { findSolana, type SolanaWallet } from "./solana";

export type Wallet = EthereumWallet | SolanaWallet;

export function findWallets(found: (wallet: Wallet) => void): () => void {
  const ends = [findEthereum(found), findSolana(found)];
  return () => {
    for (const end of ends) end();
  };
}
