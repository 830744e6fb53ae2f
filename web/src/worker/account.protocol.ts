/** What the page may ask of the Worker about accounts and ways in. Bytes are handed over, and wiped there. */

/** A way in, as it comes from whoever sits here. */
export type Brought =
  | { method: "recovery"; words: ArrayBuffer }
  | { method: "passkey"; credential: ArrayBuffer; prf: ArrayBuffer }
  | { method: "ethereum" | "solana"; origin: string; address: string; first: ArrayBuffer; second: ArrayBuffer | undefined }
  | { method: "seed"; origin: string; words: ArrayBuffer; passphrase: ArrayBuffer };

/** How a wrap is opened: what `opened.rs` says of a vault, without a secret. */
export type Wrap = {
  id: string;
  method: string;
  created_unix_ms: number;
  account: string | null;
  origin: string | null;
  passkey: string | null;
};

export type VaultOverview = {
  vault: string;
  epoch: number;
  opened_by: string | null;
  wraps: Wrap[];
  warnings: string[];
};

export type AccountRequests = {
  /** A new vault, open, which a new recovery code opens. No server has it. */
  "account.create": { ask: object; answer: { vault: string; phrase: string } };
  /** Takes a recovery code into the hand: that of a vault just made, or with `isNew` another one, whose words it gives. */
  "custody.code": { ask: { isNew: boolean }; answer: { phrase: string } };
  /** Adds the way at hand to a vault that no server has yet, and gives what a sign-up sends of it. */
  "account.enrol": { ask: object; answer: unknown };
  /** Begins with a password. */
  "account.password": { ask: { password: ArrayBuffer; isNew: boolean }; answer: { request: string } };
  /** Goes on with the server's answer; the way is at hand afterwards. As long as Argon2id takes. */
  "account.password.finish": {
    ask: { response: string; serverKey: string; pinned: string | undefined };
    answer: { proof: unknown };
  };
  /** Opens the vault that the server described, by the way at hand. */
  "account.unlock": { ask: { view: string }; answer: VaultOverview };
  "account.overview": { ask: object; answer: VaultOverview };
  /** Wipes every key. The Worker ends after it. */
  "account.lock": { ask: object; answer: null };
  /** Takes a way into the Worker's hand. A seed has an address. */
  "custody.bring": { ask: Brought; answer: { address: string | undefined } };
  /** What a wallet is asked to sign, to open a vault. */
  "custody.to-sign": { ask: { method: "ethereum" | "solana"; origin: string; vault: string }; answer: string };
  /** The signature of a seed at hand under the message of a sign-in, base64url. */
  "custody.sign-in": { ask: { message: string }; answer: string };
  /** The proof by which a recovery code at hand signs in. */
  "custody.key-proof": {
    ask: { challenge: string; purpose: string; origin: string; nonce: string };
    answer: unknown;
  };
  /** The change that adds the way at hand; with `wrap`, in the place of that one. */
  "custody.add": { ask: { version: number; wrap: string | undefined }; answer: Proposed };
  "custody.remove": { ask: { version: number; wrap: string }; answer: Proposed };
  /** The server took the change. */
  "custody.taken": { ask: object; answer: VaultOverview };
  /** The server's list of wraps, as another device left it. */
  "custody.refresh": { ask: { view: string }; answer: VaultOverview };
};

/** A change that the server has not taken yet; `wrap` is the one that it adds. */
export type Proposed = { body: unknown; warnings: string[]; wrap: string | undefined };
