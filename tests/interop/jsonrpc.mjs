// A JSON-RPC server for a test: npm's jayson, behind a check of the key that Helius takes in the query.
// Usage: jsonrpc.mjs PORT KEY. Each call that a method answers is counted at /admin/calls.

import http from "node:http";
import { createRequire } from "node:module";

// From the folder that has node_modules, which is where this is started.
const jayson = createRequire(process.cwd() + "/")("jayson");
const [port, key] = process.argv.slice(2);
const calls = [];

const answer = (name, result) => (params, callback) => {
  calls.push({ name, params });
  result(params, callback);
};

const rpc = new jayson.Server({
  getHealth: answer("getHealth", (_, done) => done(null, "ok")),
  getSlot: answer("getSlot", (_, done) => done(null, 42)),
  getBalance: answer("getBalance", ([address, config], done) =>
    done(null, { context: { slot: 42 }, value: address.length, config: config ?? null }),
  ),
  getTransaction: answer("getTransaction", (_, done) =>
    done({ code: -32004, message: "Block not available for slot 7" }),
  ),
  sendTransaction: answer("sendTransaction", (_, done) => done(null, "signature")),
  // A method that a node may have and the catalogue does not.
  validatorExit: answer("validatorExit", (_, done) => done(null, true)),
}).http();

http
  .createServer((request, response) => {
    const url = new URL(request.url, "http://localhost");
    if (url.pathname === "/admin/calls") {
      response.setHeader("content-type", "application/json");
      response.end(JSON.stringify(calls));
    } else if (url.searchParams.get("api-key") !== key) {
      response.writeHead(401, { "content-type": "application/json" });
      response.end(JSON.stringify({ error: "invalid api key" }));
    } else {
      rpc.emit("request", request, response);
    }
  })
  .listen(Number(port), "127.0.0.1");
