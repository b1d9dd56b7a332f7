/** The example page translates in Chromium, by an exported folder, as this program does. */

import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { loadModelFolder } from "../../src/model/folder.js";
import { NativePolicy } from "../../src/policy/native.js";
import { saveTransformersJsFolder } from "../../src/policy/transformers-js-folder.js";
import { Thread } from "../../src/tensor/thread.js";
import { loadTextCodec } from "../../src/text/text-codec.js";
import { type Browser, hasChromium, openBrowser } from "./browser.js";

const UNIGRAM = fileURLToPath(new URL("../fixtures/opus/unigram", import.meta.url));
const SERVE = fileURLToPath(new URL("../../examples/transformers-js/serve.mjs", import.meta.url));
/** Milliseconds: the browser loads 27 MB of ONNX Runtime first. */
const PATIENCE = 120_000;

describe.skipIf(!hasChromium("the page with Transformers.js is"))("the example page", () => {
  let folder: string;
  let server: ChildProcess;
  let address: string;
  let browser: Browser;
  let asked: string[];
  let expected: string[];

  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), "coppice-page-model-"));
    await saveTransformersJsFolder(folder, await loadModelFolder(UNIGRAM), await loadTextCodec(UNIGRAM));
    const { asked: all } = JSON.parse(readFileSync(`${UNIGRAM}.json`, "utf8")) as { asked: string[] };
    asked = all.slice(0, 20);
    const thread = new Thread();
    const policy = await NativePolicy.load(thread, UNIGRAM);
    const sources = asked.map((text, sourceId) => ({ sourceId, text }));
    expected = (await policy.translate(sources, { maxTokens: 1000 })).map(({ text }) => text);
    await policy.release();
    await thread.close();
    server = spawn(process.execPath, [SERVE, folder, "0"], { stdio: ["ignore", "pipe", "inherit"] });
    const [line] = await once(createInterface({ input: server.stdout! }), "line");
    address = String(line);
    browser = await openBrowser();
  });
  afterAll(async () => {
    await browser?.close();
    server?.kill();
    rmSync(folder, { recursive: true, force: true });
  });

  it.each([
    ["fp32", 1],
    ["q8", 0.8],
  ])(
    "gives the same translations of a padded batch with %s",
    async (dtype, least) => {
      const problems: string[] = [];
      const page = await browser.newPage({}, problems);
      page.setDefaultTimeout(PATIENCE);
      const elsewhere: string[] = [];
      page.on("request", (request) => {
        if (!/^(?:blob|data):/.test(request.url()) && !request.url().startsWith(address))
          elsewhere.push(request.url());
      });
      await page.goto(`${address}?dtype=${dtype}`);
      await page.getByText(`The model is ready (${dtype}).`).waitFor();
      await page.getByLabel("Sentences, one a line").fill(asked.join("\n"));
      await page.getByRole("button", { name: "Translate" }).click();
      await page.getByRole("listitem").first().waitFor();
      const found = await page.getByRole("listitem").allTextContents();
      expect(found).toHaveLength(asked.length);
      const same = found.filter((text, i) => text === expected[i]).length;
      expect(same / found.length, found.join("\n")).toBeGreaterThanOrEqual(least);
      expect([problems, elsewhere]).toEqual([[], []]);
      await page.close();
    },
    2 * PATIENCE,
  );
});
