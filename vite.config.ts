import { defineConfig } from "vite";

/** The dashboard's page and the raters'. Everything is a file of its own: the server's policy forbids inline scripts and styles. */
export default defineConfig({
  root: "src/web/page",
  base: "/",
  build: {
    outDir: "../../../dist/web/page",
    emptyOutDir: true,
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    target: "es2022",
    rolldownOptions: { input: ["src/web/page/index.html", "src/web/page/rate.html"] },
    // The chart library is one big chunk of its own, loaded when the first chart is shown.
    chunkSizeWarningLimit: 1500,
    reportCompressedSize: false,
  },
  oxc: { jsx: { runtime: "automatic", importSource: "preact" } },
});
