/** The built page: its files are listed once, and only what is on the list is served. */

import { readdir, readFile } from "node:fs/promises";
import { extname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { Hono } from "hono";

/** Where `vite build` puts it; the same seen from `src/web` and `dist/web`. */
export const BUILT_PAGE = fileURLToPath(new URL("../../dist/web/page/", import.meta.url));

const TYPES: Readonly<Record<string, string>> = {
  ".html": "text/html; charset=utf-8",
  ".js": "text/javascript; charset=utf-8",
  ".css": "text/css; charset=utf-8",
  ".svg": "image/svg+xml",
  ".woff2": "font/woff2",
};

const NOT_BUILT = "The page has not been built. Run `npm run build` in the folder of Coppice, then reload.";

/**
 * Serves `folder`, the output of `vite build`, with `first` as the page at `/`. Every other file is named after its
 * content.
 */
export function builtPage(folder: string, first = "index.html"): Hono {
  const app = new Hono();
  app.get("/", async (context) => {
    const html = await readFile(join(folder, first)).catch(() => undefined);
    if (html === undefined) return context.text(NOT_BUILT, 503);
    return context.body(new Uint8Array(html), 200, {
      "content-type": TYPES[".html"]!,
      "cache-control": "no-store",
    });
  });
  app.get("/assets/:name", async (context) => {
    const name = context.req.param("name");
    const names: string[] = await readdir(join(folder, "assets")).catch(() => []);
    const type = TYPES[extname(name)];
    if (!names.includes(name) || type === undefined) return context.notFound();
    const bytes = await readFile(join(folder, "assets", name));
    return context.body(new Uint8Array(bytes), 200, {
      "content-type": type,
      "cache-control": "public, max-age=31536000, immutable",
    });
  });
  return app;
}
