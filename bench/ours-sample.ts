/** Our side of `bench sample` and `bench decode`: candidates a second from a model folder. */

import { readFileSync } from "node:fs";
import { loadModelFolder } from "../src/model/folder.js";
import { Decoder, DecoderPrograms } from "../src/policy/decoder.js";
import { BatchFeeder } from "../src/policy/network.js";
import { decoderLayout, sampleAll } from "../src/policy/sampler.js";

const s = JSON.parse(process.argv[2]!) as {
  folder: string;
  sources: string;
  candidates: number;
  newTokens: number;
  temperature: number;
  threads: number;
  rows: number;
  /** Every candidate as a source of its own: what sharing saves. */
  apart: boolean;
};

const { config, parameters } = await loadModelFolder(s.folder);
const programs = new DecoderPrograms(config, parameters, { threads: s.threads });
const texts = JSON.parse(readFileSync(s.sources, "utf8")) as number[][];
const given = s.apart ? texts.flatMap((tokens) => Array.from({ length: s.candidates }, () => tokens)) : texts;
const n = s.apart ? 1 : s.candidates;
const feeder = new BatchFeeder(config);

async function sample(sources: readonly number[][]): Promise<{ candidates: number; tokens: number }> {
  const layout = decoderLayout(sources.length, n, s.rows);
  const options = { ...layout, temperature: s.temperature };
  const decoder = new Decoder(config, programs, feeder, options);
  let candidates = 0;
  let tokens = 0;
  const encoded = sources.map((source, sourceId) => ({ sourceId, tokens: source }));
  const settings = { n, greedy: false, maxTokens: s.newTokens, topK: 0, topP: 1, seed: 1, grow: 1 };
  const all = { ...settings, eosId: config.eosId, vocabulary: config.targetVocabulary };
  for await (const done of sampleAll(decoder, encoded, all, () => false))
    for (const { samples } of done)
      for (const one of samples) {
        candidates++;
        tokens += one.tokens.length;
      }
  return { candidates, tokens };
}

await sample(given.slice(0, Math.max(1, Math.floor(given.length / 8))));
const start = performance.now();
const { candidates, tokens } = await sample(given);
const seconds = (performance.now() - start) / 1000;
console.log(JSON.stringify({ candidatesPerSecond: candidates / seconds, tokensPerSecond: tokens / seconds }));
