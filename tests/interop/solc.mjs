// Compiles the contract by the compiler and settings that stand beside its bytecode, and prints what came of it.
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";

const [, , source, pinned] = process.argv;
// The packages are where this was started, not beside this file.
const solc = createRequire(`${process.cwd()}/`)("solc");
const { contract, settings } = JSON.parse(readFileSync(pinned, "utf8"));
const file = `${contract}.sol`;
const input = {
  language: "Solidity",
  sources: { [file]: { content: readFileSync(source, "utf8") } },
  settings: {
    ...settings,
    outputSelection: { "*": { "*": ["abi", "evm.bytecode.object", "evm.deployedBytecode.object"] } }
  }
};
const output = JSON.parse(solc.compile(JSON.stringify(input)));
const made = output.contracts[file][contract];
console.log(
  JSON.stringify({
    version: solc.version(),
    said: output.errors ?? [],
    abi: made.abi,
    creation: `0x${made.evm.bytecode.object}`,
    runtime: `0x${made.evm.deployedBytecode.object}`
  })
);
