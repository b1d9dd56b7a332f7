/** What is served: a run folder with one policy of random weights, and sources. */

import { mkdirSync, mkdtempSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { saveModelFolder } from "../src/model/folder.js";
import { initialise } from "../src/model/initialise.js";
import { renderConfig, resolveConfig } from "../src/rest/config.js";
import { BC } from "../src/rest/names.js";
import { type Json, Manifest } from "../src/store/manifest.js";
import { runFolder } from "../src/store/run-folder.js";
import { deriveKey, integerBelow } from "../src/tensor/random.js";
import { saveTextCodec } from "../src/text/text-codec.js";
import { createTokenizer } from "../src/text/tokenizer.js";
import { trainVocabulary } from "../src/text/train-vocabulary.js";
import { presetConfig } from "./preset-config.js";

const WORDS = 4000;

/** Writes the folder. Random weights hardly ever end a candidate, so that all have `maxTokens` tokens. */
export async function serveTask(
  maxTokens: number,
): Promise<{ folder: string; source(index: number): string }> {
  const folder = mkdtempSync(join(tmpdir(), "coppice-bench-serve-"));
  const source = (index: number) => {
    const key = deriveKey(2, index);
    return Array.from({ length: 8 + integerBelow(key, 0, 16) }, (_, i) =>
      word(integerBelow(key, i + 1, WORDS)),
    ).join(" ");
  };
  const texts = Array.from({ length: 4 * WORDS }, (_, i) => source(i));
  const tokenizer = createTokenizer(trainVocabulary(texts, { size: 8000 }));
  const { vocabularySize, eosId, padId } = tokenizer;
  const model = presetConfig("small", vocabularySize, { dropout: 0.1, maxPositions: 512, eosId, padId });
  const policy = join(folder, "policies", BC);
  mkdirSync(policy, { recursive: true });
  await saveModelFolder(policy, model, initialise(model, 1));
  await saveTextCodec({ source: tokenizer, target: tokenizer }, policy);
  const config = resolveConfig({ data: { train: ["pairs.tsv"] }, grow: { maxTokens } });
  writeFileSync(runFolder(folder).resolvedConfig, renderConfig(config));
  // A configuration is what YAML holds, and so JSON.
  const manifest = await Manifest.create(folder, {
    coppice: "bench",
    seed: 1,
    config: config as unknown as Json,
  });
  await manifest.finish(BC, { seconds: 0, outputs: [`policies/${BC}`] });
  return { folder, source };
}

/** A made-up word of 3 to 9 letters. */
function word(index: number): string {
  const key = deriveKey(3, index);
  return Array.from({ length: 3 + integerBelow(key, 0, 7) }, (_, i) =>
    String.fromCharCode(97 + integerBelow(key, i + 1, 26)),
  ).join("");
}
