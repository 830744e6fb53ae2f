// An authorization server (npm oidc-provider) with a small API that wants its tokens.
//
//   node oidc_provider.mjs PORT ISSUER TOKENS_FILE
//
// Run in the folder that has node_modules. Everybody who asks is logged in and agrees, so that a
// test can play the browser. Refresh tokens rotate, and one that is shown twice ends its grant.
// Each token that is given out is written to TOKENS_FILE, for the test to search for.
//
//   POST /admin/fault?mode=none|down|500|hold|lose   what becomes of requests to /token:
//        down: closed unread; 500: refused; hold: processed only when the mode changes;
//        lose: processed, and the answer never sent
//   POST /admin/api?mode=none|deny|shrug   what becomes of requests to /api:
//        deny: every token is called invalid; shrug: 401 that does not say why
//   POST /admin/forget       ends the newest access token, and nothing else of its grant
//   GET  /admin/stats        how many requests came to /token, by grant_type; how many to /api, how
//        many of them with a token that was refused, and how many notes were written
//   GET  /api/me             whose token it is
//   POST /api/note           writes one
//   GET  /api/echo           every secret of this server that the caller has, plainly
import fs from 'node:fs';
import http from 'node:http';
import path from 'node:path';
import { pathToFileURL } from 'node:url';

const [port, issuer, tokensFile] = process.argv.slice(2);
const accessSeconds = Number(process.env.ACCESS_SECONDS ?? 3600);
const entry = path.join(process.cwd(), 'node_modules/oidc-provider/lib/index.js');
const { Provider } = await import(pathToFileURL(entry));

const secret = 'Zq7+vX/2k&9Wm=4%Lr8_Nd5 hT3';
const code = { response_types: ['code'], redirect_uris: ['http://127.0.0.1/callback'], application_type: 'native' };
const refreshing = ['authorization_code', 'refresh_token'];
const device = 'urn:ietf:params:oauth:grant-type:device_code';
const none = { response_types: [], redirect_uris: [] };
const provider = new Provider(issuer, {
  clients: [
    { client_id: 'public', ...code, grant_types: refreshing, token_endpoint_auth_method: 'none' },
    { client_id: 'basic', client_secret: secret, ...code, grant_types: refreshing },
    { client_id: 'television', ...none, application_type: 'native', grant_types: [device, 'refresh_token'], token_endpoint_auth_method: 'none' },
    { client_id: 'machine', client_secret: secret, ...none, grant_types: ['client_credentials'], token_endpoint_auth_method: 'client_secret_post' },
  ],
  scopes: ['openid', 'offline_access', 'api'],
  features: {
    devInteractions: { enabled: false },
    deviceFlow: { enabled: true },
    clientCredentials: { enabled: true },
    revocation: { enabled: true },
  },
  pkce: { required: () => true },
  rotateRefreshToken: true,
  issueRefreshToken: async (_, client) => client.grantTypeAllowed('refresh_token'),
  findAccount: async (_, id) => ({ accountId: id, claims: async () => ({ sub: id }) }),
  interactions: { url: (_, interaction) => `/interaction/${interaction.uid}` },
  ttl: { AccessToken: accessSeconds, ClientCredentials: accessSeconds, RefreshToken: 86400, Grant: 86400, Session: 86400, Interaction: 600, DeviceCode: 600, AuthorizationCode: 60 },
  cookies: { keys: ['not a secret of anybody'] },
});
provider.proxy = true;

// What was given out last, and every one of them in the file.
let last = {};
const given = (body) => {
  for (const name of ['access_token', 'refresh_token']) {
    if (body?.[name]) {
      last[name] = body[name];
      fs.appendFileSync(tokensFile, `${body[name]}\n`);
    }
  }
};
provider.on('grant.success', (ctx) => given(ctx.body));

// Logs everybody in as the same person, who agrees to everything.
async function interaction(req, res) {
  const details = await provider.interactionDetails(req, res);
  const { prompt, params, session } = details;
  if (prompt.name === 'login') {
    return provider.interactionFinished(req, res, { login: { accountId: 'somebody' } });
  }
  const grant = new provider.Grant({ accountId: session.accountId, clientId: params.client_id });
  grant.addOIDCScope(params.scope);
  return provider.interactionFinished(req, res, { consent: { grantId: await grant.save() } }, { mergeWithLastSubmission: true });
}

function json(res, status, value) {
  res.writeHead(status, { 'content-type': 'application/json' });
  res.end(JSON.stringify(value));
}

async function api(req, res) {
  for await (const _ of req);
  stats.api = (stats.api ?? 0) + 1;
  const token = /^Bearer (\S+)$/.exec(req.headers.authorization ?? '')?.[1];
  const found = token && (await provider.AccessToken.find(token) ?? await provider.ClientCredentials.find(token));
  if (!found || found.isExpired || apiMode !== 'none') {
    stats.refused = (stats.refused ?? 0) + 1;
    // RFC 6750, section 3.
    if (apiMode !== 'shrug') res.setHeader('www-authenticate', 'Bearer realm="api", error="invalid_token", error_description="revoked"');
    return json(res, 401, { error: 'no' });
  }
  if (req.method === 'POST') {
    stats.notes = (stats.notes ?? 0) + 1;
    return json(res, 201, { note: stats.notes });
  }
  if (req.url === '/api/echo') {
    const client = await provider.Client.find(found.clientId);
    return json(res, 200, { access: token, refresh: last.refresh_token, secret: client.clientSecret });
  }
  return json(res, 200, { who: found.accountId ?? found.clientId, scope: found.scope });
}

let mode = 'none';
let apiMode = 'none';
let held = [];
const stats = {};

async function token(req, res, next) {
  const pieces = [];
  for await (const piece of req) pieces.push(piece);
  // The provider takes a body that was read already.
  req.body = Object.fromEntries(new URLSearchParams(Buffer.concat(pieces).toString()));
  const grant = req.body.grant_type;
  stats[grant] = (stats[grant] ?? 0) + 1;
  if (mode === 'down') return req.socket.destroy();
  if (mode === '500') return json(res, 500, { message: 'out of order' });
  if (mode === 'hold') await new Promise((go) => held.push(go));
  if (mode === 'lose') {
    res.end = () => req.socket.destroy();
    res.write = () => true;
  }
  next(req, res);
}

const handler = provider.callback();
http.createServer((req, res) => {
  const url = new URL(req.url, issuer);
  const failed = (error) => json(res, 500, { message: String(error) });
  if (url.pathname === '/admin/fault') {
    mode = url.searchParams.get('mode');
    if (mode !== 'hold') held.splice(0).forEach((go) => go());
    return json(res, 200, { mode });
  }
  if (url.pathname === '/admin/api') {
    apiMode = url.searchParams.get('mode');
    return json(res, 200, { mode: apiMode });
  }
  if (url.pathname === '/admin/forget') {
    const token = provider.AccessToken.find(last.access_token);
    return token.then((found) => found.destroy()).then(() => json(res, 200, {})).catch(failed);
  }
  if (url.pathname === '/admin/stats') return json(res, 200, { ...stats, held: held.length });
  if (url.pathname.startsWith('/api/')) return api(req, res).catch(failed);
  // TLS ends in front of here.
  req.headers['x-forwarded-proto'] = 'https';
  if (url.pathname.startsWith('/interaction/')) return interaction(req, res).catch(failed);
  if (url.pathname === '/token') return token(req, res, handler).catch(failed);
  return handler(req, res);
}).listen(Number(port), '127.0.0.1');
