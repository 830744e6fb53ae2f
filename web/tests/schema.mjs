// The page's types are those of the document that the server makes of its own code.
import assert from "node:assert/strict";
import { readFileSync, writeFileSync } from "node:fs";
import openapi, { astToString } from "openapi-typescript";

const at = new URL("../src/api/schema.ts", import.meta.url);
const document = await (await fetch(`${process.env.BASE}/api/openapi.json`)).json();
assert.ok(Object.keys(document.components.schemas).length > 80, "the document has its schemas");
// Routes are functions of `src/api`; what passes over them is typed here.
const types = astToString(await openapi({ ...document, paths: {} }, { alphabetize: true }));
const made = `// Made of /api/openapi.json by web/tests/schema.mjs, and by nobody else.\n${types}`;
if (process.env.WRITE) writeFileSync(at, made);
const next = "schema.ts is another one than the server's document makes; next: SYMBOLON_WRITE_SCHEMA=1 cargo test -p symbolon-tests --test page_account the_pages_types";
assert.ok(readFileSync(at, "utf8") === made, next);
console.log("ok the page's types are those of the server's document");
