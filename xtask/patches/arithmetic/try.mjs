// The patched multiplication against blst's own and against integers, in V8: `node try.mjs MODULE`. Numbers at the edges in
// every pair, then random ones; reduced and not, for each modulus that the prover has, and for one that fills its words.
import { randomBytes } from "node:crypto";
import { readFile } from "node:fs/promises";

const { instance } = await WebAssembly.instantiate(await readFile(process.argv[2]));
const made = instance.exports;
const memory = new Uint32Array(made.memory.buffer);

function write(place, number, words) {
  for (let i = 0; i < words; i++) memory[place / 4 + i] = Number((number >> BigInt(32 * i)) & 0xffffffffn);
}

function read(place, words) {
  let number = 0n;
  for (let i = words - 1; i >= 0; i--) number = (number << 32n) | BigInt(memory[place / 4 + i]);
  return number;
}

/** x^-1 modulo 2^bits, of an odd number: each round has twice as many bits right. */
function inverse(x, bits) {
  let found = 1n;
  for (let right = 1; right < bits; right *= 2) found = BigInt.asUintN(bits, found * (2n - x * found));
  return found;
}

const random = (bits) => BigInt(`0x${randomBytes(bits / 8).toString("hex")}`);

/** The numbers where a carry is lost first: around 0, the modulus and the words' ends, and limbs that are all ones. */
function edges(modulus, bits) {
  const all = (1n << BigInt(bits)) - 1n;
  const ones = [29, 30, 32, 58, 60, 64, bits - 32, bits - 1].map((width) => (1n << BigInt(width)) - 1n);
  const every = (width, value) => {
    let number = 0n;
    for (let at = 0; at < bits; at += width) number |= value << BigInt(at);
    return number & all;
  };
  const limbs = [every(29, 1n), every(30, 1n), every(32, 0xffffffffn - 1n), every(29, (1n << 28n) | 1n), every(30, (1n << 29n) | 1n)];
  const around = [modulus - 2n, modulus - 1n, modulus, modulus + 1n, modulus >> 1n, (modulus >> 1n) + 1n, all - modulus, all - 1n, all];
  return [0n, 1n, 2n, ...ones, ...ones.map((number) => all ^ number), ...limbs, ...around].map((number) => number & all);
}

let compared = 0;

function compare(bits, modulus, x, y) {
  const words = bits / 32;
  const [a, b, p, out] = [made.a(), made.b(), made.p(), made.out()];
  const n0 = Number(inverse(-modulus & 0xffffffffn, 32)) | 0;
  const run = (name, at = out) => {
    write(a, x, words);
    write(b, y, words);
    write(p, modulus, words);
    made[`${name}_${bits}`](n0);
    return read(at, words);
  };
  const shift = BigInt(bits);
  /** (x*y + m*modulus) / 2^bits, the modulus taken away once where it can be: what is given also for factors that are not reduced. */
  const product = (left, right) => {
    const m = BigInt.asUintN(bits, left * right * inverse(BigInt.asUintN(bits, -modulus), bits));
    const sum = (left * right + m * modulus) >> shift;
    return sum >= modulus ? sum - modulus : sum;
  };
  const expected = BigInt.asUintN(bits, product(x, y));
  const square = BigInt.asUintN(bits, product(x, x));
  const found = { mul: run("mul"), own: run("own", bits === 256 ? a : b) };
  // blst's own loses a carry where factors are not reduced, or the modulus fills its words: neither is asked of it.
  if (x < modulus && y < modulus && modulus >> (shift - 1n) === 0n) found.before = run("before");
  for (const [name, number] of Object.entries(found)) {
    if (number !== expected) fail(`${name}_${bits}`, { modulus, x, y, expected, found: number });
  }
  const squared = run("sqr");
  if (squared !== square) fail(`sqr_${bits}`, { modulus, x, expected: square, found: squared });
  compared++;
}

function fail(name, numbers) {
  console.error(`${name} is wrong:`);
  for (const [key, number] of Object.entries(numbers)) console.error(`  ${key} = 0x${number.toString(16)}`);
  process.exit(1);
}

const FIELD = 0x1a0111ea397fe69a4b1ba7b6434bacd764774b84f38512bf6730d2a0f6b0f6241eabfffeb153ffffb9feffffffffaaabn;
const ORDER = 0x73eda753299d7d483339d80809a1d80553bda402fffe5bfeffffffff00000001n;
const JUBJUB = 0x0e7db4ea6533afa906673b0101343b00a6682093ccc81082d0970e5ed6f72cb7n;
const ROUNDS = 20_000;

for (const [bits, moduli] of [[256, [ORDER, JUBJUB, (1n << 256n) - 189n]], [384, [FIELD, (1n << 384n) - 317n]]]) {
  for (const modulus of moduli) {
    const known = edges(modulus, bits);
    for (const x of known) for (const y of known) compare(bits, modulus, x, y);
    for (let round = 0; round < ROUNDS; round++) {
      const one = round % 8 ? random(bits) : known[(round / 8) % known.length];
      const [x, y] = round % 2 ? [one % modulus, random(bits) % modulus] : [one, random(bits)];
      compare(bits, modulus, x, y);
    }
  }
}
console.log(`${compared} products and squares of the patched arithmetic are blst's`);
