// A thread of the prover, as the page has them: the first measures, the others help it over its memory.
import init, { helpBench, names, openBenchPool, run } from "/module/symbolon_bench_browser.js";

self.onmessage = async ({ data }) => {
  const { memory } = await init({ module_or_path: data.module, memory: data.memory });
  if (data.kind === "help") return setTimeout(helpBench);
  const helpers = openBenchPool(data.threads);
  for (let nth = 0; nth < helpers; nth++) self.postMessage({ memory });
  // The page gives them what they need meanwhile.
  await new Promise((done) => setTimeout(done, 500));
  for (const name of data.only ?? names().split(",")) {
    self.postMessage({ row: { ...JSON.parse(run(name, data.runs)), threads: data.threads } });
  }
  self.postMessage({ end: true });
};
