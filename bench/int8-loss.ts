/** What 8-bit weights cost in quality: one model's greedy translations with both, by Transformers.js. */

import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, dirname, join } from "node:path";
import { AutoModelForSeq2SeqLM, AutoTokenizer, env, type Tensor } from "@huggingface/transformers";
import { readPairs } from "../src/data/read.js";
import { corpusBleu } from "../src/evaluate/bleu.js";
import { corpusChrf } from "../src/evaluate/chrf.js";
import { loadModelFolder } from "../src/model/folder.js";
import { saveTransformersJsFolder } from "../src/policy/transformers-js-folder.js";
import { loadTextCodec } from "../src/text/text-codec.js";

const BATCH = 32;
/** Pairs of the file that are translated, from its start. */
const MOST_PAIRS = 500;

/** BLEU and chrF against the human translations of `file`, and the share of translations that are the same. */
export async function int8Loss(model: string, file: string): Promise<object> {
  const out = mkdtempSync(join(tmpdir(), "coppice-int8-"));
  try {
    const codec = await loadTextCodec(model);
    await saveTransformersJsFolder(out, await loadModelFolder(model), codec);
    const pairs = (await readPairs(file)).slice(0, MOST_PAIRS);
    env.allowRemoteModels = false;
    env.localModelPath = dirname(out);
    const full = await translations(
      basename(out),
      "fp32",
      pairs.map(({ source }) => source),
    );
    const small = await translations(
      basename(out),
      "q8",
      pairs.map(({ source }) => source),
    );
    const references = pairs.map(({ target }) => target);
    const scores = (texts: readonly string[]) => ({
      bleu: corpusBleu(texts, references).score,
      chrf: corpusChrf(texts, references).score,
    });
    return {
      pairs: pairs.length,
      fp32: scores(full),
      int8: scores(small),
      same: full.filter((text, i) => text === small[i]).length / full.length,
    };
  } finally {
    rmSync(out, { recursive: true, force: true });
  }
}

async function translations(
  name: string,
  dtype: "fp32" | "q8",
  sources: readonly string[],
): Promise<string[]> {
  const tokenizer = await AutoTokenizer.from_pretrained(name);
  const model = await AutoModelForSeq2SeqLM.from_pretrained(name, { dtype });
  const texts: string[] = [];
  for (let at = 0; at < sources.length; at += BATCH) {
    const inputs: object = tokenizer(sources.slice(at, at + BATCH), { padding: true });
    // Without return_dict_in_generate it is the token ids.
    const found = (await model.generate({ ...inputs, max_new_tokens: 100 })) as Tensor;
    texts.push(...tokenizer.batch_decode(found, { skip_special_tokens: true }));
  }
  await model.dispose();
  return texts;
}
