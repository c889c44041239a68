// The pages, built into the Python package that carries them.
import { resolve } from "node:path";
import { defineConfig } from "vite";

export default defineConfig({
  root: "src",
  publicDir: "../public",
  base: "/",
  oxc: { jsx: { runtime: "automatic", importSource: "preact" } },
  build: {
    outDir: "../antiphon_web/static",
    emptyOutDir: true,
    target: "es2022",
    sourcemap: false,
    // What the files are made of says so beside them.
    license: { fileName: "licenses.md" },
    // Nothing is inlined: the pages' policy lets only files of their own run.
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    rolldownOptions: {
      input: {
        index: resolve(import.meta.dirname, "src/index.html"),
        operator: resolve(import.meta.dirname, "src/operator.html"),
      },
    },
  },
  test: {
    root: ".",
    include: ["tests/**/*.test.ts"],
    // Longer than each step in a browser may take: then the step says that it waited in vain.
    testTimeout: 150_000,
    hookTimeout: 30_000,
  },
} as Parameters<typeof defineConfig>[0]);
