/** Samples candidates for many sources; finished ones make room for waiting ones, so that no step runs half empty. */

import { Interrupted } from "../errors.js";
import { deriveKey, type Key, uniform } from "../tensor/random.js";
import type { Decoder } from "./decoder.js";
import { drawToken, mostLikely, type Restriction } from "./draw.js";

export interface EncodedSource {
  readonly sourceId: number;
  readonly tokens: ArrayLike<number>;
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

interface Slot {
  source: EncodedSource | undefined;
  nextSample: number;
  running: number;
  samples: SampledTokens[];
}

interface Writing extends SampledTokens {
  readonly key: Key;
  readonly slot: number;
}

/** How many groups a decoder needs for `sources` sources of `n` candidates, and how many sources share a group. */
export function decoderLayout(
  sources: number,
  n: number,
  mostRows: number,
): { groups: number; sourcesPerGroup: number } {
  const sourcesPerGroup = n >= 4 ? 1 : n >= 2 ? 2 : 4;
  const groups = Math.min(Math.ceil(sources / sourcesPerGroup), Math.max(1, Math.floor(mostRows / 4)));
  return { groups: Math.max(1, groups), sourcesPerGroup };
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
  // Short sources first: those that decode together have like lengths, and little is padded.
  const queue = [...sources].sort((a, b) => a.tokens.length - b.tokens.length);
  let next = 0;
  const lanesPerSlot = decoder.lanes / decoder.sourcesPerGroup;
  const slots: Slot[] = Array.from({ length: decoder.groups * decoder.sourcesPerGroup }, () => ({
    source: undefined,
    nextSample: 0,
    running: 0,
    samples: [],
  }));
  const rows: (Writing | undefined)[] = Array.from({ length: decoder.rows }, () => undefined);

  const begin = (row: number): void => {
    const slotIndex = Math.floor(row / lanesPerSlot);
    const slot = slots[slotIndex]!;
    const sampleId = slot.nextSample++;
    slot.running++;
    rows[row] = {
      sampleId,
      tokens: [],
      logProbs: [],
      sampleLogProbs: [],
      finished: false,
      slot: slotIndex,
      key: deriveKey(options.seed, options.grow, slot.source!.sourceId, sampleId, 0x73616d70),
    };
    decoder.start(row);
  };

  const refill = async (): Promise<void> => {
    const placed: { slot: number; source: ArrayLike<number> }[] = [];
    slots.forEach((slot, index) => {
      if (slot.source || next >= queue.length) return;
      Object.assign(slot, { source: queue[next++]!, nextSample: 0, running: 0, samples: [] });
      placed.push({ slot: index, source: slot.source!.tokens });
    });
    await decoder.place(placed);
    for (const { slot } of placed)
      for (let lane = 0; lane < lanesPerSlot; lane++)
        if (slots[slot]!.nextSample < options.n) begin(slot * lanesPerSlot + lane);
  };

  for (;;) {
    if (cancelled()) throw new Interrupted();
    await refill();
    if (slots.every((slot) => !slot.source)) return;
    await decoder.step();
    const done: SampledSource[] = [];
    for (let row = 0; row < rows.length; row++) {
      const writing = rows[row];
      if (!writing) continue;
      const finished = extend(decoder, row, writing, options);
      if (!finished) continue;
      const { sampleId, tokens, logProbs, sampleLogProbs } = writing;
      const slot = slots[writing.slot]!;
      slot.samples.push({ sampleId, tokens, logProbs, sampleLogProbs, finished: finished === "eos" });
      slot.running--;
      rows[row] = undefined;
      decoder.stop(row);
      if (slot.nextSample < options.n) begin(row);
      else if (slot.running === 0) {
        slot.samples.sort((a, b) => a.sampleId - b.sampleId);
        done.push({ sourceId: slot.source!.sourceId, samples: slot.samples });
        slot.source = undefined;
      }
    }
    if (done.length > 0) yield done;
  }
}

/** Chooses the next token of one row; tells whether the candidate is now complete. */
function extend(
  decoder: Decoder,
  row: number,
  writing: Writing,
  options: SamplerOptions,
): "eos" | "cut" | undefined {
  const position = writing.tokens.length;
  let token: number;
  if (options.greedy) {
    token = mostLikely(decoder.probabilities, row, options.vocabulary);
    writing.sampleLogProbs.push(0);
  } else {
    const u = uniform(writing.key, position);
    const drawn = drawToken(decoder.probabilities, row, options.vocabulary, u, options);
    token = drawn.token;
    writing.sampleLogProbs.push(Math.log(drawn.probability));
  }
  writing.tokens.push(token);
  writing.logProbs.push(decoder.logProbs[row * options.vocabulary + token]!);
  if (token === options.eosId) return "eos";
  if (writing.tokens.length >= options.maxTokens) return "cut";
  decoder.advance(row, token);
  return undefined;
}
