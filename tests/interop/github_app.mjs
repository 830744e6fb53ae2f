// An API that takes the tokens of a GitHub App's installation, as GitHub does; statements are checked by `jose`.
// node github_app.mjs PORT FOLDER: writes the App's key to FOLDER/app.pem and each token to FOLDER/tokens.
import { createServer } from "node:http";
import { appendFileSync, writeFileSync } from "node:fs";
import { generateKeyPairSync, randomBytes } from "node:crypto";
import { createRequire } from "node:module";
import { pathToFileURL } from "node:url";

const require = createRequire(`${process.cwd()}/package.json`);
const { jwtVerify } = await import(pathToFileURL(require.resolve("jose")));

const [port, folder] = process.argv.slice(2);
const life = Number(process.env.TOKEN_SECONDS ?? "3600") * 1000;
const app = "12345";
const { publicKey, privateKey } = generateKeyPairSync("rsa", { modulusLength: 2048 });
const type = process.env.KEY_TYPE ?? "pkcs1";
writeFileSync(`${folder}/app.pem`, privateKey.export({ type, format: "pem" }), { mode: 0o600 });

const tokens = new Map();
const stats = { asked: 0, refused: 0, down: false };

async function isApp(header) {
  const statement = /^Bearer (\S+)$/.exec(header ?? "")?.[1];
  if (!statement) return false;
  try {
    const { payload } = await jwtVerify(statement, publicKey, {
      algorithms: ["RS256"], issuer: app, requiredClaims: ["iat", "exp"],
    });
    return payload.exp - payload.iat <= 600;
  } catch {
    return false;
  }
}

function send(response, status, body) {
  response.writeHead(status, { "content-type": "application/json" });
  response.end(JSON.stringify(body));
}

createServer(async (request, response) => {
  request.resume();
  const { method, url, headers } = request;
  if (url === "/admin/stats") return send(response, 200, stats);
  if (url === "/admin/down" || url === "/admin/up") {
    stats.down = url === "/admin/down";
    return send(response, 200, stats);
  }
  if (method === "POST" && url === "/app/installations/77/access_tokens") {
    if (stats.down) return send(response, 503, { message: "down" });
    if (!(await isApp(headers.authorization))) {
      stats.refused += 1;
      return send(response, 401, { message: "A JSON web token could not be decoded" });
    }
    stats.asked += 1;
    const token = `ghs_${randomBytes(27).toString("base64url").replace(/[-_]/g, "x")}`;
    const end = Date.now() + life;
    tokens.set(token, end);
    appendFileSync(`${folder}/tokens`, `${token}\n`);
    const expires_at = new Date(end).toISOString().replace(/\.\d+Z$/, "Z");
    return send(response, 201, { token, expires_at, permissions: { issues: "write" } });
  }
  const token = /^Bearer (\S+)$/.exec(headers.authorization ?? "")?.[1];
  if (!(tokens.get(token) > Date.now())) return send(response, 401, { message: "Bad credentials" });
  // It repeats the token, which nobody may see.
  return send(response, 200, { login: "app[bot]", path: url, seen: headers.authorization });
}).listen(Number(port), "127.0.0.1");
