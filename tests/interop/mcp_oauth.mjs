// An assistant, by the client of the MCP project's TypeScript SDK with its OAuth flow: discovery, registration, PKCE,
// code, tokens, renewal. Each line on standard input is a step; each answer is one line of JSON.
//
//   node mcp_oauth.mjs URL REDIRECT_URL        in the folder that has its packages
import { createRequire } from "node:module";
import path from "node:path";
import { createInterface } from "node:readline";

// Packages come from the folder that this is run in.
const require = createRequire(path.join(process.cwd(), "package.json"));
const { Client } = require("@modelcontextprotocol/sdk/client/index.js");
const { auth } = require("@modelcontextprotocol/sdk/client/auth.js");
const { StreamableHTTPClientTransport } = require("@modelcontextprotocol/sdk/client/streamableHttp.js");

const [url, redirectUrl] = process.argv.slice(2);
const kept = {};
const provider = {
  redirectUrl,
  clientMetadata: { client_name: "SDK assistant", redirect_uris: [redirectUrl], token_endpoint_auth_method: "none" },
  state: () => "a state & more",
  clientInformation: () => kept.client,
  saveClientInformation: (client) => void (kept.client = client),
  tokens: () => kept.tokens,
  saveTokens: (tokens) => void (kept.tokens = tokens),
  redirectToAuthorization: (to) => void (kept.redirect = to.href),
  saveCodeVerifier: (verifier) => void (kept.verifier = verifier),
  codeVerifier: () => kept.verifier,
  invalidateCredentials: (what) => void (what === "tokens" && delete kept.tokens),
};

let client;
let transport;
async function connect() {
  transport = new StreamableHTTPClientTransport(new URL(url), { authProvider: provider });
  client = new Client({ name: "assistant", version: "1" });
  await client.connect(transport);
  return { server: client.getServerVersion(), protocol: transport.protocolVersion };
}

const steps = {
  connect,
  redirect: async () => ({ redirect: kept.redirect, client: kept.client }),
  finish: async (code) => {
    await transport.finishAuth(code);
    return kept.tokens;
  },
  tools: async () => (await client.listTools()).tools,
  call: async (text) => {
    const { name, arguments: args } = JSON.parse(text);
    return client.callTool({ name, arguments: args });
  },
  refresh: async () => {
    const result = await auth(provider, { serverUrl: url });
    return { result, tokens: kept.tokens };
  },
  tokens: async () => kept.tokens,
};

for await (const line of createInterface({ input: process.stdin })) {
  const at = line.indexOf(" ");
  const [step, rest] = at < 0 ? [line, ""] : [line.slice(0, at), line.slice(at + 1)];
  let answer;
  try {
    answer = { ok: await steps[step](rest) };
  } catch (error) {
    answer = { error: error.constructor.name, message: String(error.message ?? error) };
  }
  console.log(JSON.stringify(answer));
}
process.exit(0);
