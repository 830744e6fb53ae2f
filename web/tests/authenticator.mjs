// Authenticators of Chromium's own making (the debugger protocol's WebAuthn domain), with PRF and without.
const KINDS = {
  prf: { hasPrf: true, isUserVerified: true },
  "no prf": { hasPrf: false, isUserVerified: true },
};

/** Puts an authenticator beside a page. The page asks for a tap, and it is tapped. */
export async function authenticator(page, kind = "prf") {
  const cdp = await page.context().newCDPSession(page);
  await cdp.send("WebAuthn.enable");
  const options = {
    protocol: "ctap2",
    ctap2Version: "ctap2_1",
    transport: "internal",
    hasResidentKey: true,
    hasUserVerification: true,
    automaticPresenceSimulation: true,
    ...KINDS[kind],
  };
  const { authenticatorId } = await cdp.send("WebAuthn.addVirtualAuthenticator", { options });
  return {
    credentials: async () => (await cdp.send("WebAuthn.getCredentials", { authenticatorId })).credentials,
    /** It does not recognise whoever touches it from now on. */
    mistake: () => cdp.send("WebAuthn.setUserVerified", { authenticatorId, isUserVerified: false }),
    remove: () => cdp.send("WebAuthn.removeVirtualAuthenticator", { authenticatorId }),
  };
}
