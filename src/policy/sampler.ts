/** Samples candidates for many sources; finished ones make room for waiting ones, so that no step runs half empty. */

import { Interrupted } from "../errors.js";
import { deriveKey, type Key, uniform } from "../tensor/random.js";
import type { Decoder, Drawn, Encoding } from "./decoder.js";
import { drawToken, mostLikely, type Restriction } from "./draw.js";
import { LanePlan } from "./lanes.js";
import type { Draws } from "./policy.js";

export interface EncodedSource {
  readonly sourceId: number;
  readonly tokens: ArrayLike<number>;
  /** What its draws depend on in place of the options' seed and `sourceId`. */
  readonly draws?: Draws;
  /** One number shared with whoever asked: 1 says that the source is no longer wanted. */
  readonly cancel?: Int32Array;
}

/** Whether nobody waits for the source any longer. */
export function isUnwanted({ cancel }: EncodedSource): boolean {
  return cancel !== undefined && Atomics.load(cancel, 0) === 1;
}

export interface SamplerOptions extends Restriction {
  readonly n: number;
  /** 0: the most likely token at every step. */
  readonly greedy: boolean;
  readonly maxTokens: number;
  readonly seed: number;
  readonly grow: number;
  readonly eosId: number;
  readonly vocabulary: number;
}

export interface SampledTokens {
  readonly sampleId: number;
  readonly tokens: number[];
  readonly logProbs: number[];
  readonly sampleLogProbs: number[];
  readonly finished: boolean;
}

export interface SampledSource {
  readonly sourceId: number;
  readonly samples: SampledTokens[];
}

interface Writing extends SampledTokens {
  readonly key: Key;
  readonly source: number;
}

/** Candidates of one source read its keys together, the more the better; those of others make each other's work longer. */
const [FEW_LANES, MANY_LANES] = [4, 16];

/** The groups of a decoder, and the lanes of one, that `sources` sources of `n` candidates fill, within `mostRows` rows. */
export function decoderLayout(
  sources: number,
  n: number,
  mostRows: number,
): { groups: number; lanes: number } {
  const lanes = n >= MANY_LANES && mostRows >= MANY_LANES ? MANY_LANES : FEW_LANES;
  const most = Math.max(1, Math.floor(mostRows / lanes));
  return { groups: Math.max(1, Math.min(most, Math.ceil((sources * n) / lanes))), lanes };
}

/**
 * All candidates of all sources, each source as soon as its last candidate is done. A draw depends on (seed, grow,
 * sourceId, sampleId, position) and nothing else.
 */
export async function* sampleAll(
  decoder: Decoder,
  sources: readonly EncodedSource[],
  options: SamplerOptions,
  cancelled: () => boolean,
): AsyncGenerator<SampledSource[]> {
  // Long sources first: those that decode together have like lengths, and the last steps wait for short ones.
  const queue = [...sources].sort((a, b) => b.tokens.length - a.tokens.length);
  const plan = new LanePlan(decoder.groups, decoder.lanes, queue.length, options.n);
  const encodings: (Encoding | undefined)[] = [];
  const samples: SampledTokens[][] = queue.map(() => []);
  const rows: (Writing | undefined)[] = Array.from({ length: decoder.rows }, () => undefined);
  const uniforms = new Float64Array(decoder.rows);

  /** Encoded one pass ahead: sources come one by one, and alone they would be slow. */
  const encoding = async (source: number): Promise<Encoding> => {
    while (encodings.length <= source)
      encodings.push(...(await decoder.encode(queue.slice(encodings.length).map(({ tokens }) => tokens))));
    return encodings[source]!;
  };

  const fill = async (): Promise<void> => {
    for (let row = 0; row < rows.length && plan.waiting; row++) {
      if (rows[row]) continue;
      const { source, sampleId, block, fresh } = plan.assign(row)!;
      const { seed, sourceId } = queue[source]!.draws ?? {
        seed: options.seed,
        sourceId: queue[source]!.sourceId,
      };
      const key = deriveKey(seed, options.grow, sourceId, sampleId, 0x73616d70);
      rows[row] = { sampleId, tokens: [], logProbs: [], sampleLogProbs: [], finished: false, source, key };
      decoder.start(row, block, fresh ? await encoding(source) : undefined);
      if (!plan.waits(source)) encodings[source] = undefined;
    }
  };

  /** When no candidate waits, steps are made shorter instead. */
  const gather = (): void => {
    for (const { from, to, block, fresh } of plan.compact()) {
      decoder.move(from, to, block, fresh);
      rows[to] = rows[from];
      rows[from] = undefined;
    }
  };

  const restricted = (options.topK > 0 && options.topK < options.vocabulary) || options.topP < 1;
  const next = async (): Promise<void> => {
    // Arg max and restrictions look at whole distributions.
    if (options.greedy || restricted) return decoder.step();
    rows.forEach((writing, row) => {
      if (writing) uniforms[row] = uniform(writing.key, writing.tokens.length);
    });
    return decoder.draw(uniforms);
  };
  const choose = (row: number, { key, tokens }: Writing): Drawn => {
    if (!options.greedy && !restricted) return decoder.drawn(row);
    const { probabilities, logProbs } = decoder;
    const { token, probability } = options.greedy
      ? { token: mostLikely(probabilities, row, options.vocabulary), probability: 1 }
      : drawToken(probabilities, row, options.vocabulary, uniform(key, tokens.length), options);
    return { token, probability, logProb: logProbs[row * options.vocabulary + token]! };
  };

  const left = new Set(queue.keys());
  const free = (row: number): void => {
    rows[row] = undefined;
    decoder.stop(row);
    plan.finish(row);
  };
  const dropUnwanted = (): void => {
    for (const source of left) {
      if (!isUnwanted(queue[source]!)) continue;
      left.delete(source);
      plan.drop(source);
      if (source < encodings.length) encodings[source] = undefined;
      rows.forEach((writing, row) => {
        if (writing?.source === source) free(row);
      });
    }
  };

  for (;;) {
    if (cancelled()) throw new Interrupted();
    dropUnwanted();
    if (left.size === 0) return;
    await fill();
    if (!plan.waiting) gather();
    await next();
    const done: SampledSource[] = [];
    for (let row = 0; row < rows.length; row++) {
      const writing = rows[row];
      if (!writing) continue;
      const finished = extend(writing, choose(row, writing), options);
      if (!finished) {
        decoder.advance(row, writing.tokens.at(-1)!);
        continue;
      }
      const { sampleId, tokens, logProbs, sampleLogProbs, source } = writing;
      samples[source]!.push({ sampleId, tokens, logProbs, sampleLogProbs, finished: finished === "eos" });
      free(row);
      if (samples[source]!.length < options.n) continue;
      const all = samples[source]!.sort((a, b) => a.sampleId - b.sampleId);
      done.push({ sourceId: queue[source]!.sourceId, samples: all });
      samples[source] = [];
      left.delete(source);
    }
    if (done.length > 0) yield done;
  }
}

/** Appends a token; tells whether the candidate is now complete. */
function extend(
  writing: Writing,
  { token, probability, logProb }: Drawn,
  options: SamplerOptions,
): "eos" | "cut" | undefined {
  writing.tokens.push(token);
  writing.logProbs.push(logProb);
  writing.sampleLogProbs.push(Math.log(probability));
  if (token === options.eosId) return "eos";
  return writing.tokens.length >= options.maxTokens ? "cut" : undefined;
}
