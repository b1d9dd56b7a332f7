import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import type { Group } from "../../src/policy/batches.js";
import { Decoder } from "../../src/policy/decoder.js";
import { drawToken } from "../../src/policy/draw.js";
import { tokenGraph } from "../../src/policy/network.js";
import type { EncodedSource } from "../../src/policy/sampler.js";
import { floatData, Program } from "../../src/tensor/program.js";
import { largestDifference } from "../model/marian-fixture.js";
import { decoderFor, randomSource, sample, sampleWith, type TinyPolicy, tinyPolicy } from "./tiny-policy.js";

/** The same weights at one thread and at two, and once with wider matrices. */
const policies = new Map<string, TinyPolicy>();
beforeAll(async () => {
  const size = { width: 64, vocabulary: 61, endBias: 1 };
  policies.set("one thread", await tinyPolicy({ ...size, threads: 1 }));
  policies.set("two threads", await tinyPolicy({ ...size, threads: 2 }));
  policies.set("wide", await tinyPolicy({ width: 128, vocabulary: 1031, endBias: 3.5, threads: 2 }));
});
afterAll(async () => {
  for (const { programs } of policies.values()) await programs.release();
});

const sourcesOf = ({ config }: TinyPolicy, lengths: readonly number[]): EncodedSource[] =>
  lengths.map((length, sourceId) => randomSource(config, sourceId, length));

describe("a row sampled alone equals the row sampled in any batch, bit for bit", () => {
  const length = fc.oneof(fc.integer({ min: 1, max: 12 }), fc.integer({ min: 1, max: 100 }));
  const batch = fc.record({
    lengths: fc.array(length, { minLength: 2, maxLength: 14 }),
    n: fc.constantFrom(1, 2, 16),
    // From one group of four lanes to room for all.
    mostRows: fc.constantFrom(4, 12, 64, 256),
    threads: fc.constantFrom("one thread", "two threads"),
    temperature: fc.constantFrom(1, 0.7, 1.6),
    topK: fc.constantFrom(0, 0, 5),
    picked: fc.nat(),
  });

  it("whatever the company, the number of rows, the threads", async () => {
    const longest = { source: 0, candidate: 0 };
    await fc.assert(
      fc.asyncProperty(batch, async ({ lengths, n, mostRows, threads, temperature, topK, picked }) => {
        const policy = policies.get(threads)!;
        const sources = sourcesOf(policy, lengths);
        const source = sources[picked % sources.length]!;
        const settings = { n, temperature, topK };
        const together = (await sample(policy, sources, { ...settings, mostRows })).get(source.sourceId)!;
        const alone = (await sample(policies.get("one thread")!, [source], settings)).get(source.sourceId)!;
        longest.source = Math.max(longest.source, source.tokens.length);
        longest.candidate = Math.max(longest.candidate, ...alone.map(({ tokens }) => tokens.length));
        expect(together).toEqual(alone);
      }),
      { numRuns: 40, seed: 4 },
    );
    // The runs reached the lengths at which caches grow twice.
    expect(longest.source).toBeGreaterThan(64);
    expect(longest.candidate).toBeGreaterThan(64);
  });

  it("whatever the number of candidates that are asked for", async () => {
    const policy = policies.get("two threads")!;
    const sources = sourcesOf(policy, [3, 70, 12, 33, 9, 100, 5]);
    const many = await sample(policy, sources, { n: 16, mostRows: 16 });
    for (const n of [1, 2, 3])
      for (const [sourceId, samples] of await sample(policy, sources, { n }))
        expect(samples).toEqual(many.get(sourceId)!.slice(0, n));
  });

  it("with wide matrices and a larger vocabulary too", async () => {
    const policy = policies.get("wide")!;
    const sources = sourcesOf(policy, [3, 90, 17, 40, 8, 24]);
    const together = await sample(policy, sources, { n: 5, mostRows: 12, maxTokens: 70 });
    for (const source of sources.slice(0, 3)) {
      const alone = await sample(policy, [source], { n: 5, maxTokens: 70 });
      expect(alone.get(source.sourceId)).toEqual(together.get(source.sourceId));
    }
    const single = await sample(policy, sources.slice(0, 3), { n: 1, maxTokens: 70 });
    for (const [sourceId, samples] of single) expect(samples[0]).toEqual(together.get(sourceId)![0]);
  });

  it("after a decoder has served other sources", async () => {
    const policy = policies.get("one thread")!;
    const sources = sourcesOf(policy, [40, 6, 90, 3]);
    const decoder = decoderFor(policy, 4, 2);
    const first = await sampleWith(decoder, policy, sources, { n: 2 });
    const others = [50, 51, 52].map((sourceId) => randomSource(policy.config, sourceId, sourceId));
    await sampleWith(decoder, policy, others, { n: 2 });
    expect(await sampleWith(decoder, policy, sources, { n: 2 })).toEqual(first);
  });
});

describe("a candidate's numbers", () => {
  let policy: TinyPolicy;
  let sources: EncodedSource[];
  beforeAll(() => {
    policy = policies.get("two threads")!;
    sources = sourcesOf(policy, [2, 9, 41, 100, 17, 5]);
  });

  it("are the training graph's log-probabilities within 1e-4, at any temperature", async () => {
    const { graph, logProbs } = tokenGraph(policy.config, { smoothing: 0, dropout: false });
    const program = await Program.compile(graph, { logProbs });
    const hot = await sample(policy, sources, { n: 6, temperature: 1.5, topP: 0.9, maxTokens: 110 });
    const groups: Group[] = sources.map(({ sourceId, tokens }) => ({
      source: tokens,
      targets: hot.get(sourceId)!.map((candidate) => ({ tokens: candidate.tokens, weight: 1 })),
    }));
    const { feeds, symbols } = policy.feeder.batch(groups, 1);
    const outputs = await program.run({ ...policy.parameters.feeds(), ...feeds }, symbols);
    await program.release();
    const ours = sources.flatMap(({ sourceId }) => hot.get(sourceId)!.flatMap(({ logProbs }) => logProbs));
    expect(ours.length).toBeGreaterThan(500);
    expect(largestDifference(ours, floatData(outputs.logProbs)).difference).toBeLessThan(1e-4);
  });

  it.each([1, 0.5, 2])(
    "are drawn from p^(1/T) shared out among all tokens but <pad>, at T = %d",
    async (temperature) => {
      const { vocabulary, padId } = policy.config;
      const decoder = decoderFor(policy, 1, 4, { temperature });
      const [source] = await decoder.encode([sources[2]!.tokens]);
      decoder.start(2, 0, source);
      await decoder.step();
      const row = (all: Float32Array) => [...all.subarray(2 * vocabulary, 3 * vocabulary)];
      const powers = row(decoder.logProbs).map((logProb, id) =>
        id === padId ? 0 : Math.exp(logProb / temperature),
      );
      const sum = powers.reduce((a, b) => a + b, 0);
      const expected = powers.map((power) => power / sum);
      expect(largestDifference(row(decoder.probabilities), expected).difference).toBeLessThan(1e-5);
      expect(decoder.probabilities[2 * vocabulary + padId]).toBe(0);
    },
  );

  it.each(["two threads", "wide"])(
    "are those that a walk over all probabilities finds (%s)",
    async (name) => {
      const model = policies.get(name)!;
      const { vocabulary } = model.config;
      const [whole, inBlocks] = [0, 1].map(() => decoderFor(model, 1, 4, { temperature: 0.8 }));
      for (const decoder of [whole!, inBlocks!]) {
        const [source] = await decoder.encode([sourcesOf(model, [9])[0]!.tokens]);
        for (const row of [0, 1, 2, 3]) decoder.start(row, 0, row === 0 ? source : undefined);
      }
      await whole!.step();
      const { probabilities, logProbs } = whole!;
      const found = new Set<number>();
      for (let i = 0; i < 400; i += 4) {
        // From the first token to the last, where float32 would make a whole 1 of the uniform number.
        const uniforms = Float64Array.from([0, 1, 2, 3], (row) =>
          Math.min((i + row) / 399 + 1e-9, 1 - 2 ** -50),
        );
        await inBlocks!.draw(uniforms);
        for (const row of [0, 1, 2, 3]) {
          const expected = drawToken(probabilities, row, vocabulary, uniforms[row]!, { topK: 0, topP: 1 });
          const drawn = inBlocks!.drawn(row);
          found.add(drawn.token);
          expect(drawn.token).toBe(expected.token);
          expect(drawn.probability).toBe(expected.probability);
          expect(drawn.logProb).toBe(logProbs[row * vocabulary + drawn.token]);
        }
      }
      expect(found.size).toBeGreaterThan(50);
    },
  );

  it("never hold <pad>, and end-of-sentence only at the end", async () => {
    for (const samples of (await sample(policy, sources, { n: 16 })).values())
      for (const { tokens } of samples) {
        expect(tokens).not.toContain(policy.config.padId);
        expect(tokens.slice(0, -1)).not.toContain(policy.config.eosId);
      }
  });

  it("stop at the length limit and say so; what came before is the same", async () => {
    const long = await sample(policy, sources, { n: 8 });
    const short = await sample(policy, sources, { n: 8, maxTokens: 7 });
    let cut = 0;
    for (const [sourceId, samples] of short)
      samples.forEach((candidate, i) => {
        const whole = long.get(sourceId)![i]!;
        expect(candidate.tokens).toEqual(whole.tokens.slice(0, 7));
        expect(candidate.logProbs).toEqual(whole.logProbs.slice(0, 7));
        expect(candidate.finished).toBe(candidate.tokens.at(-1) === policy.config.eosId);
        if (!candidate.finished) cut++;
      });
    expect(cut).toBeGreaterThan(0);
    expect(cut).toBeLessThan(8 * sources.length);
  });

  it("come numbered from 0, all of a source together", async () => {
    const found = await sample(policy, sources, { n: 7, mostRows: 8 });
    expect([...found.keys()].sort()).toEqual(sources.map(({ sourceId }) => sourceId));
    for (const samples of found.values())
      expect(samples.map(({ sampleId }) => sampleId)).toEqual([0, 1, 2, 3, 4, 5, 6]);
  });

  it("differ with the sample, the source, the seed and the grow", async () => {
    const texts = async (settings: { seed?: number; grow?: number }) =>
      [...(await sample(policy, sources, { n: 4, ...settings })).values()].flatMap((samples) =>
        samples.map(({ tokens }) => tokens.join(" ")),
      );
    const all = [...(await texts({})), ...(await texts({ seed: 6 })), ...(await texts({ grow: 2 }))];
    // Short ones may meet by chance.
    const long = all.filter((text) => text.length > 20);
    expect(long.length).toBeGreaterThan(30);
    expect(new Set(long).size).toBe(long.length);
  });
});

describe("a decoder", () => {
  it("gives the lanes of finished candidates to waiting ones", async () => {
    const policy = policies.get("one thread")!;
    const sources = sourcesOf(policy, [5, 12, 8, 20, 3, 30]);
    const decoder = decoderFor(policy, sources.length, 24, { mostRows: 8 });
    const found = await sampleWith(decoder, policy, sources, { n: 24 });
    const lengths = [...found.values()].flatMap((samples) => samples.map(({ tokens }) => tokens.length));
    const tokens = lengths.reduce((a, b) => a + b, 0);
    // In fixed batches of 8 candidates, in the order in which they come, each as long as its longest.
    let naive = 0;
    for (let i = 0; i < lengths.length; i += decoder.rows)
      naive += Math.max(...lengths.slice(i, i + decoder.rows));
    expect(decoder.occupancy.busy).toBe(tokens);
    expect(decoder.occupancy.steps).toBeLessThan(0.6 * naive);
    expect(decoder.occupancy.rows).toBeLessThan(1.15 * tokens);
  });

  it.each([1, 4, 5, 16, 100])(
    "with %d candidates a source, is full while one waits, and shrinks to what is left",
    async (n) => {
      const policy = policies.get("one thread")!;
      const lengths = Array.from({ length: Math.ceil(300 / n) }, (_, i) => 2 + ((7 * i) % 23));
      const sources = sourcesOf(policy, lengths);
      const decoder = decoderFor(policy, sources.length, n, { mostRows: 64 });
      expect(decoder.rows).toBe(64);
      const start = vi.spyOn(decoder, "start");
      const steps: { busy: number; started: number; rows: number }[] = [];
      const { draw } = decoder;
      vi.spyOn(decoder, "draw").mockImplementation(async (uniforms) => {
        const busy = Array.from({ length: 64 }, (_, row) => decoder.isActive(row)).filter(Boolean).length;
        const before = decoder.occupancy.rows;
        await draw.call(decoder, uniforms);
        steps.push({ busy, started: start.mock.calls.length, rows: decoder.occupancy.rows - before });
      });
      await sampleWith(decoder, policy, sources, { n });
      const candidates = sources.length * n;
      for (const { busy, started, rows } of steps) {
        if (started < candidates) expect(busy).toBe(64);
        expect(rows - busy).toBeLessThan(decoder.lanes);
      }
      const { occupancy } = decoder;
      expect(occupancy.steps).toBe(steps.length);
      expect(occupancy.busy).toBe(steps.reduce((sum, { busy }) => sum + busy, 0));
      expect(occupancy.belowHalf).toBe(steps.filter(({ busy, rows }) => 2 * busy < rows).length);
    },
  );

  it("never has fewer than two rows", () => {
    const policy = policies.get("one thread")!;
    for (const n of [1, 2, 3, 4, 16]) {
      const decoder = decoderFor(policy, 1, n);
      expect(decoder.lanes).toBeGreaterThanOrEqual(2);
      expect(decoder.rows).toBe(decoder.groups * decoder.lanes);
    }
    const { config, programs, feeder } = policy;
    const layout = { groups: 1, temperature: 1, lanes: 1 };
    expect(() => new Decoder(config, programs, feeder, layout)).toThrow("1 lanes has fewer than 2");
  });

  it("pads the encoder's input to two positions, so that no matrix there has one row", () => {
    const { feeder } = policies.get("one thread")!;
    const { sourceTime, feeds } = feeder.sources([[0]]);
    expect(sourceTime).toBe(2);
    expect(feeds.source!.dims).toEqual([1, 2]);
  });

  it("refuses a source with more tokens than the model has positions", async () => {
    const policy = policies.get("one thread")!;
    await expect(sample(policy, sourcesOf(policy, [121, 3]))).rejects.toThrow("but the model has 120");
  });

  it("writes as many tokens as the model has positions, and refuses more", async () => {
    const policy = policies.get("one thread")!;
    const { config } = policy;
    const endless = await tinyPolicy({ width: 32, vocabulary: 61, endBias: -1e4, threads: 1 });
    const sources = sourcesOf(policy, [4]);
    const whole = await sample(endless, sources, { maxTokens: config.maxPositions });
    expect(whole.get(0)![0]!.tokens.length).toBe(config.maxPositions);
    await expect(sample(endless, sources, { maxTokens: config.maxPositions + 1 })).rejects.toThrow(
      "121 positions, but the model has 120",
    );
    await endless.programs.release();
  });
});
