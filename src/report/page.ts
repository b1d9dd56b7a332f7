/** The frame of a page that opens from disk: one file, no scripts, its style admitted by hash and nothing else. */

import { createHash } from "node:crypto";
import { STYLE } from "./style.js";

/** `title` and `body` are markup: what came from a model or a file has been escaped. */
export function page(title: string, body: string): string {
  const hash = createHash("sha256").update(STYLE).digest("base64");
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'sha256-${hash}'; base-uri 'none'; form-action 'none'">
<meta name="referrer" content="no-referrer">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>${title}</title>
<style>${STYLE}</style>
</head>
<body>
${body}
</body>
</html>
`;
}
