import { createHash } from "node:crypto";
import { brotliCompressSync, constants, gzipSync } from "node:zlib";
import { svelte } from "@sveltejs/vite-plugin-svelte";
import { defineConfig, type Plugin } from "vite";

export default defineConfig({
  plugins: [svelte(), shelf()],
  worker: { format: "es" },
  build: {
    target: "es2022",
    assetsInlineLimit: 0,
    // `cargo xtask web` empties it: a file there that is tracked keeps the folder.
    emptyOutDir: false,
    modulePreload: { polyfill: false },
    reportCompressedSize: false,
  },
});

/** Writes each file in Brotli and gzip too, and `manifest.tsv`: name, type, ETag. The program embeds them all. */
function shelf(): Plugin {
  return {
    name: "shelf",
    apply: "build",
    enforce: "post",
    generateBundle: {
      order: "post",
      handler(_options, bundle) {
        const lines: string[] = [];
        for (const file of Object.values(bundle)) {
          const source = Buffer.from(file.type === "chunk" ? file.code : file.source);
          const ending = file.fileName.split(".").at(-1) ?? "";
          const kind = KINDS[ending];
          if (!kind) throw new Error(`${file.fileName}: no type is known for .${ending}`);
          const digest = createHash("sha256").update(source).digest("base64url").slice(0, 22);
          lines.push(`${file.fileName}\t${kind}\t"${digest}"\n`);
          const params = { [constants.BROTLI_PARAM_QUALITY]: 11 };
          // Smaller blocks, each with codes of its own: WASM is half a percent shorter than by the default of 8.
          const coded = { br: brotliCompressSync(source, { params }), gz: gzipSync(source, { level: 9, memLevel: 7 }) };
          for (const [coding, bytes] of Object.entries(coded)) {
            if (bytes.length >= source.length) continue;
            this.emitFile({ type: "asset", fileName: `${file.fileName}.${coding}`, source: bytes });
          }
        }
        this.emitFile({ type: "asset", fileName: "manifest.tsv", source: lines.sort().join("") });
      },
    },
  };
}

const KINDS: Record<string, string> = {
  css: "text/css; charset=utf-8",
  html: "text/html; charset=utf-8",
  js: "text/javascript; charset=utf-8",
  svg: "image/svg+xml",
  wasm: "application/wasm",
};
