// Called by `drive.mjs`: one visit for each number of threads, so that each begins as a page begins.
globalThis.measure = (threads, runs, only) => new Promise(async (done, fail) => {
  const module = await WebAssembly.compileStreaming(fetch("/module/symbolon_bench_browser_bg.wasm"));
  const workers = [];
  const start = (message) => {
    const worker = new Worker("/worker.mjs", { type: "module" });
    worker.onerror = (event) => fail(new Error(event.message));
    worker.postMessage({ module, ...message });
    workers.push(worker);
    return worker;
  };
  const rows = [];
  start({ kind: "measure", threads, runs, only }).onmessage = ({ data }) => {
    if (data.memory) start({ kind: "help", memory: data.memory });
    if (data.row) rows.push(data.row), globalThis.said(JSON.stringify(data.row));
    if (!data.end) return;
    for (const worker of workers) worker.terminate();
    done(rows.length);
  };
});
