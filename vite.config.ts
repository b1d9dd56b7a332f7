import { defineConfig, type Plugin } from "vite";
import { COMPONENT_STYLE } from "./src/report/components/style.js";

/** What the components look like stands once, for the report and for this page. */
const componentStyle: Plugin = {
  name: "component-style",
  enforce: "pre",
  transform: (code, id) => (id.endsWith("/src/web/page/style.css") ? COMPONENT_STYLE + code : undefined),
};

/** The dashboard's page and the raters'. Everything is a file of its own: the server's policy forbids inline scripts and styles. */
export default defineConfig({
  root: "src/web/page",
  base: "/",
  plugins: [componentStyle],
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
