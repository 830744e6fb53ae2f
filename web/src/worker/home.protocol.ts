/** What the page may ask of the Worker about a broker's home. Bytes are handed over, and wiped there. */

export type HomeRequests = {
  /** The key of one way of one passkey, sealed to the broker that asked: `sealed` of what it takes. */
  "home.tap": {
    ask: {
      /** Whether a way is added; else the home is opened. */
      adds: boolean;
      vault: string;
      key: string;
      nonce: string;
      expires: number;
      salt: string;
      credential: ArrayBuffer;
      prf: ArrayBuffer;
    };
    answer: string;
  };
};
