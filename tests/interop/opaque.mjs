// One half of OPAQUE by npm `@serenity-kit/opaque`: a line of JSON in, `[side, step, arguments]`, and
// a line of JSON out, what the step gave (null where it refused).
//
//   node opaque.mjs        in the folder that has its packages
import { createRequire } from 'node:module';
import path from 'node:path';
import readline from 'node:readline';

// Packages come from the folder that this is run in.
const require = createRequire(path.join(process.cwd(), 'package.json'));
const opaque = require('@serenity-kit/opaque');
await opaque.ready;

for await (const line of readline.createInterface({ input: process.stdin })) {
  const [side, step, words] = JSON.parse(line);
  console.log(JSON.stringify((await opaque[side][step](words)) ?? null));
}
