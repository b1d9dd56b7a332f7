/**
 * Serves an exported model with a page that translates by it, in the browser and on this machine alone:
 *
 *     npm install @huggingface/transformers
 *     npx coppice export runs/mine --to transformers-js my-web-model
 *     node examples/transformers-js/serve.mjs my-web-model 8080
 *
 * To put it on a server of your own, copy the page, the model and the two folders of the library beside one another.
 */

import { createReadStream } from "node:fs";
import { stat } from "node:fs/promises";
import { createServer } from "node:http";
import { createRequire } from "node:module";
import { dirname, extname, join, resolve, sep } from "node:path";
import { fileURLToPath } from "node:url";

const [model, port = "8080"] = process.argv.slice(2);
if (model === undefined) {
  console.error("Give the exported folder: node serve.mjs my-web-model [port]");
  process.exit(2);
}

/** The folder that holds the files of an installed package. */
function installed(name, from = import.meta.url) {
  try {
    return dirname(createRequire(from).resolve(name));
  } catch {
    console.error(`${name} is not installed. Run: npm install @huggingface/transformers`);
    process.exit(2);
  }
}

const library = installed("@huggingface/transformers");
const roots = {
  "/model/": resolve(model),
  "/library/": library,
  // What computes: the library's own copy of ONNX Runtime.
  "/runtime/": installed("onnxruntime-web", join(library, "index.js")),
};
const page = fileURLToPath(new URL("index.html", import.meta.url));

const types = {
  ".html": "text/html; charset=utf-8",
  ".js": "text/javascript",
  ".mjs": "text/javascript",
  ".json": "application/json",
  ".wasm": "application/wasm",
};

/** The file behind a path of the address, if it is one that is served. */
function fileOf(path) {
  if (path === "/") return page;
  for (const [prefix, root] of Object.entries(roots)) {
    if (!path.startsWith(prefix)) continue;
    const file = resolve(root, path.slice(prefix.length));
    if (file.startsWith(root + sep)) return file;
  }
  return undefined;
}

const server = createServer(async (request, response) => {
  const { pathname } = new URL(request.url, "http://localhost");
  const file = fileOf(decodeURIComponent(pathname));
  const facts = file && (await stat(file).catch(() => undefined));
  if (!facts?.isFile()) {
    response.writeHead(404).end();
    return;
  }
  response.writeHead(200, {
    "content-type": types[extname(file)] ?? "application/octet-stream",
    "content-length": facts.size,
    // With these two the browser lets several threads share memory.
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-embedder-policy": "require-corp",
  });
  if (request.method === "HEAD") response.end();
  else createReadStream(file).pipe(response);
});
server.listen(Number(port), "127.0.0.1", () => {
  console.log(`http://127.0.0.1:${server.address().port}/`);
});
