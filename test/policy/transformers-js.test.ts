/** What is exported for Transformers.js translates there, in Node, as it does here. */

import { mkdirSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import {
  AutoModelForSeq2SeqLM,
  AutoTokenizer,
  env,
  type PreTrainedModel,
  type PreTrainedTokenizer,
  pipeline,
  Tensor,
} from "@huggingface/transformers";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { loadModelFolder } from "../../src/model/folder.js";
import { NativePolicy } from "../../src/policy/native.js";
import type { Translation } from "../../src/policy/policy.js";
import { saveTransformersJsFolder } from "../../src/policy/transformers-js-folder.js";
import { Thread } from "../../src/tensor/thread.js";
import { loadTextCodec } from "../../src/text/text-codec.js";
import { largestDifference } from "../model/marian-fixture.js";

const FIXTURES = fileURLToPath(new URL("../fixtures/", import.meta.url));
const json = (path: string) => JSON.parse(readFileSync(FIXTURES + path, "utf8")) as unknown;
const asked = (name: string) => (json(`opus/${name}.json`) as { asked: string[] }).asked;

let thread: Thread;
let folder: string;
beforeAll(() => {
  thread = new Thread();
  folder = mkdtempSync(join(tmpdir(), "coppice-transformers-js-"));
  env.allowRemoteModels = false;
  env.localModelPath = folder;
});
afterAll(async () => {
  await thread.close();
  rmSync(folder, { recursive: true, force: true });
});

/** One of Transformers.js's tokenizers, of which its types say little. */
interface Encoded {
  input_ids: Tensor;
  attention_mask: Tensor;
}

// Three activations, one and two vocabularies, one with a beam search in its settings and a forced end.
describe.each([
  { name: "written", place: "marian/written", texts: json("marian/written.sources.json") as string[] },
  { name: "unigram", place: "opus/unigram", texts: asked("unigram") },
  { name: "bpe", place: "opus/bpe", texts: asked("bpe") },
])("the $name folder", ({ name, place, texts: all }) => {
  let policy: NativePolicy;
  let texts: string[];
  let source: PreTrainedTokenizer;
  let target: PreTrainedTokenizer;
  let model: PreTrainedModel;
  let greedy: Translation[];
  let beams: Translation[];

  beforeAll(async () => {
    const out = join(folder, name);
    mkdirSync(out);
    const stored = await loadModelFolder(FIXTURES + place);
    // A lost bias would show.
    expect(stored.parameters.view("final_logits_bias").some((value) => Math.abs(value) > 0.1)).toBe(true);
    const codec = await loadTextCodec(FIXTURES + place);
    await saveTransformersJsFolder(out, stored, codec);
    policy = await NativePolicy.load(thread, FIXTURES + place);
    source = await AutoTokenizer.from_pretrained(name);
    target = name === "bpe" ? await AutoTokenizer.from_pretrained(`${name}/target`) : source;
    model = await AutoModelForSeq2SeqLM.from_pretrained(name, { dtype: "fp32" });
    // Two unknown letters side by side, and pieces without an id, are cut in another way there.
    texts = all.filter((text) => `${source.encode(text)}` === `${codec.source.encode(text)}`);
    expect(all.length - texts.length).toBe({ written: 0, unigram: 1, bpe: 8 }[name]);
    const numbered = texts.map((text, sourceId) => ({ sourceId, text }));
    greedy = await policy.translate(numbered, { maxTokens: 1000 });
    beams = await policy.translate(numbered, { beams: 4, maxTokens: 1000 });
    expect(new Set(greedy.map(({ text }) => text)).size).toBeGreaterThan(8);
  });
  afterAll(async () => {
    await policy.release();
    await model.dispose();
  });

  const encode = (some: string[]): Encoded => source(some, { padding: true });
  const translate = async (by: PreTrainedModel, some: string[]) => {
    const found = (await by.generate({ ...encode(some), num_beams: 1 })) as Tensor;
    return { texts: target.batch_decode(found, { skip_special_tokens: true }), places: found.dims[1]! };
  };

  it("gives the same greedy translations of a padded batch, and ends with the longest of them", async () => {
    const { texts: found, places } = await translate(model, texts);
    expect(found).toEqual(greedy.map(({ text }) => text));
    expect(places).toBe(1 + Math.max(...greedy.map(({ tokens }) => tokens.length)));
  });

  it("gives the same translations one by one", async () => {
    for (const { sourceId, text } of greedy.slice(0, 8))
      expect((await translate(model, [texts[sourceId]!])).texts).toEqual([text]);
  });

  it("gives what a beam search finds the same log-probabilities, at once and step by step", async () => {
    const expected = await policy.logProbabilities(
      beams.map(({ sourceId, tokens }) => ({ source: texts[sourceId]!, tokens })),
    );
    const rows = beams.map(({ tokens }) => [policy.config.decoderStartId, ...tokens]);
    const longest = Math.max(...rows.map((row) => row.length));
    const ids = rows.map((row) => [...row, ...Array<number>(longest - row.length).fill(policy.config.padId)]);
    const inputs = encode(beams.map(({ sourceId }) => texts[sourceId]!));
    const column = (from: number, to: number) =>
      new Tensor(
        "int64",
        BigInt64Array.from(
          ids.flatMap((row) => row.slice(from, to)),
          BigInt,
        ),
        [ids.length, to - from],
      );
    const vocabulary = policy.config.targetVocabulary;
    const logProb = (logits: Float32Array, at: number, token: number) => {
      const row = logits.subarray(at * vocabulary, (at + 1) * vocabulary);
      return row[token]! - Math.log(row.reduce((sum, value) => sum + Math.exp(value), 0));
    };
    // What the exported models hand out, as far as it is used.
    type Outputs = Record<string, Tensor> & { logits: Tensor };
    const whole = (await model({ ...inputs, decoder_input_ids: column(0, longest) })) as Outputs;
    let past: Record<string, Tensor> | undefined;
    const steps: Float32Array[] = [];
    for (let at = 0; at < longest; at++) {
      const given = {
        ...inputs,
        decoder_input_ids: column(at, at + 1),
        ...(past && { past_key_values: past }),
      };
      const outputs = (await model(given)) as Outputs;
      steps.push(outputs.logits.data as Float32Array);
      past = Object.fromEntries(
        Object.entries(outputs)
          .filter(([key]) => key.startsWith("present"))
          .map(([key, value]) => [key.replace("present", "past_key_values"), value]),
      );
    }
    expected.forEach(({ tokens, logProbs }, row) => {
      const atOnce = tokens.map((token, at) =>
        logProb(whole.logits.data as Float32Array, row * longest + at, token),
      );
      const byStep = tokens.map((token, at) => logProb(steps[at]!, row, token));
      expect(largestDifference(atOnce, logProbs).difference).toBeLessThan(1e-4);
      expect(largestDifference(byStep, logProbs).difference).toBeLessThan(1e-4);
    });
  });

  it("says nearly the same with 8-bit weights", async () => {
    const small = await AutoModelForSeq2SeqLM.from_pretrained(name, { dtype: "q8" });
    const { texts: found } = await translate(small, texts);
    await small.dispose();
    const same = found.filter((text, i) => text === greedy[i]!.text).length;
    expect(same / found.length).toBeGreaterThan(0.8);
  });
});

it("is a pipeline's model", async () => {
  const texts = asked("unigram").slice(0, 4);
  const translate = await pipeline("translation", "unigram", { dtype: "fp32" });
  const policy = await NativePolicy.load(thread, `${FIXTURES}opus/unigram`);
  const expected = await policy.translate(
    texts.map((text, sourceId) => ({ sourceId, text })),
    { maxTokens: 1000 },
  );
  // The folder's settings ask for four beams, which Transformers.js takes for greedy.
  expect(await translate(texts)).toEqual(expected.map(({ text }) => ({ translation_text: text })));
  await policy.release();
  await translate.dispose();
});
