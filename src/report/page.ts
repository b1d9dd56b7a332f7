/** The frame of a page that opens from disk: one file, no scripts, its style admitted by hash and nothing else. */

import { createHash } from "node:crypto";
import type { ComponentChildren } from "preact";
import { renderMarkup } from "./render-markup.js";
import { STYLE } from "./style.js";

/** `title` is text; `body` is made of components, see `renderMarkup` for what they may hold. */
export function page(title: string, body: ComponentChildren): string {
  const hash = createHash("sha256").update(STYLE).digest("base64");
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'sha256-${hash}'; base-uri 'none'; form-action 'none'">
<meta name="referrer" content="no-referrer">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>${renderMarkup(title)}</title>
<style>${STYLE}</style>
</head>
<body>
<main>
${renderMarkup(body)}
</main>
</body>
</html>
`;
}
