import { describe, expect, it } from "vitest";
import { drawToken, mostLikely, type Restriction } from "../../src/policy/draw.js";
import { deriveKey, integerBelow, uniform } from "../../src/tensor/random.js";
import { decoderFor, randomSource, sample, tinyPolicy } from "./tiny-policy.js";

const ALL: Restriction = { topK: 0, topP: 1 };

// Eighths, so that sums are exact. Descending: 3/8 (token 4), 2/8 (1), 1/8 (0, 3 and 5), 0 (2).
const ROW = Float32Array.of(1 / 8, 2 / 8, 0, 1 / 8, 3 / 8, 1 / 8);

/** Every token that the restriction leaves, with its probability, from draws over a fine grid of uniform numbers. */
function support(restriction: Restriction): Record<number, number> {
  const found: Record<number, number> = {};
  for (let i = 0; i < 800; i++) {
    const { token, probability } = drawToken(ROW, 0, ROW.length, (i + 0.5) / 800, restriction);
    found[token] = probability;
  }
  return found;
}

describe("a draw", () => {
  it("walks the cumulative sum: 1/8, 3/8, 3/8, 4/8, 7/8, 1", () => {
    const at = (u: number) => drawToken(ROW, 0, ROW.length, u, ALL).token;
    expect([0.001, 0.124, 0.126, 0.374, 0.376, 0.499, 0.501, 0.874, 0.876, 0.999].map(at)).toEqual([
      0, 0, 1, 1, 3, 3, 4, 4, 5, 5,
    ]);
  });

  it("reads its own row of the matrix", () => {
    const matrix = Float32Array.of(1, 0, 0, 0, 0, 1);
    expect(drawToken(matrix, 0, 3, 0.5, ALL)).toEqual({ token: 0, probability: 1 });
    expect(drawToken(matrix, 1, 3, 0.5, ALL)).toEqual({ token: 2, probability: 1 });
  });

  it("never gives a token of probability 0, however close to 1 the uniform number is", () => {
    const row = Float32Array.of(0, 0.25, 0.75 - 1e-7, 0, 0);
    expect(drawToken(row, 0, 5, 1 - 2 ** -53, ALL).token).toBe(2);
    expect(drawToken(row, 0, 5, 2 ** -54, ALL).token).toBe(1);
  });

  it("says a distribution without any probability is a bug", () => {
    expect(() => drawToken(new Float32Array(3), 0, 3, 0.5, ALL)).toThrow("no probability anywhere");
  });
});

describe("top-k", () => {
  it("of 2 keeps 3/8 and 2/8, which become 3/5 and 2/5", () => {
    expect(support({ topK: 2, topP: 1 })).toEqual({ 1: 2 / 5, 4: 3 / 5 });
  });
  it("of 1 keeps the most likely", () => {
    expect(support({ topK: 1, topP: 1 })).toEqual({ 4: 1 });
  });
  it("of 3 keeps all three that are third", () => {
    expect(support({ topK: 3, topP: 1 })).toEqual({ 0: 1 / 8, 1: 2 / 8, 3: 1 / 8, 4: 3 / 8, 5: 1 / 8 });
  });
  it("of 0 or of more than there are keeps all", () => {
    const whole = { 0: 1 / 8, 1: 2 / 8, 3: 1 / 8, 4: 3 / 8, 5: 1 / 8 };
    expect(support({ topK: 0, topP: 1 })).toEqual(whole);
    expect(support({ topK: 9, topP: 1 })).toEqual(whole);
  });
});

describe("top-p", () => {
  it("keeps the smallest set that reaches it: 3/8 + 2/8 ≥ 5/8", () => {
    expect(support({ topK: 0, topP: 5 / 8 })).toEqual({ 1: 2 / 5, 4: 3 / 5 });
  });
  it("takes one more where the sum falls short: 3/8 < 0.4", () => {
    expect(support({ topK: 0, topP: 0.4 })).toEqual({ 1: 2 / 5, 4: 3 / 5 });
  });
  it("keeps the most likely token even where that alone is more", () => {
    expect(support({ topK: 0, topP: 0.01 })).toEqual({ 4: 1 });
  });
  it("and top-k together keep what both keep", () => {
    expect(support({ topK: 2, topP: 0.99 })).toEqual({ 1: 2 / 5, 4: 3 / 5 });
    expect(support({ topK: 3, topP: 0.3 })).toEqual({ 4: 1 });
  });
});

it("restrictions of long rows keep what sorting the whole row keeps", () => {
  for (let seed = 0; seed < 40; seed++) {
    const key = deriveKey(11, seed);
    const vocabulary = 300 + integerBelow(key, 0, 300);
    const raw = Array.from({ length: vocabulary }, (_, i) => uniform(key, i + 2) ** (1 + (seed % 9)));
    const total = raw.reduce((a, b) => a + b, 0);
    const row = Float32Array.from(raw, (p) => p / total);
    for (const topK of [0, 1, 40, 256, 257, 10_000])
      for (const topP of [1, 0.999, 0.9, 0.5, 0.01]) {
        const sorted = [...row].sort((a, b) => b - a);
        let kept = topK > 0 ? Math.min(topK, vocabulary) : vocabulary;
        if (topP < 1) {
          let sum = 0;
          const reached = sorted.findIndex((p) => {
            sum += p;
            return sum >= topP;
          });
          kept = Math.min(kept, reached < 0 ? vocabulary : reached + 1);
        }
        const least = sorted[kept - 1]!;
        const mass = [...row].reduce((sum, p) => (p >= least ? sum + p : sum), 0);
        const u = uniform(key, 1);
        const { token, probability } = drawToken(row, 0, vocabulary, u, { topK, topP });
        expect(row[token]).toBeGreaterThanOrEqual(least);
        expect(probability).toBe(row[token]! / (topP < 1 || (topK > 0 && topK < vocabulary) ? mass : 1));
      }
  }
});

it("the most likely token is the lowest id of equals", () => {
  expect(mostLikely(ROW, 0, ROW.length)).toBe(4);
  expect(mostLikely(Float32Array.of(0, 1, 0.25, 0.5, 0.5, 0.1), 1, 3)).toBe(0);
});

/** Pearson's Σ (observed − expected)²/expected. */
function chiSquare(observed: readonly number[], probabilities: readonly number[]): number {
  const total = observed.reduce((a, b) => a + b, 0);
  return observed.reduce((sum, count, i) => {
    const expected = total * probabilities[i]!;
    return expected === 0 ? sum + (count === 0 ? 0 : Infinity) : sum + (count - expected) ** 2 / expected;
  }, 0);
}

describe("draws follow the distribution", () => {
  it("of a row of six", () => {
    const key = deriveKey(3, 1);
    const observed = Array.from(ROW, () => 0);
    for (let i = 0; i < 20_000; i++) observed[drawToken(ROW, 0, ROW.length, uniform(key, i), ALL).token]!++;
    // 4 degrees of freedom: above 18.5 once in a thousand seeds.
    expect(chiSquare(observed, [...ROW])).toBeLessThan(18.5);
  });

  it("that the model gives for the first and the second token, at a temperature", async () => {
    const policy = await tinyPolicy({ width: 32, vocabulary: 21, threads: 1, endBias: 1 });
    const { config } = policy;
    const temperature = 0.8;
    const source = randomSource(config, 0, 6);
    const decoder = decoderFor(policy, 1, 4, { temperature });
    const [encoding] = await decoder.encode([source.tokens]);
    decoder.start(0, 0, encoding);
    await decoder.step();
    const first = [...decoder.probabilities.subarray(0, config.vocabulary)];
    const favourite = mostLikely(Float32Array.from(first.with(config.eosId, 0)), 0, config.vocabulary);
    decoder.advance(0, favourite);
    await decoder.step();
    const second = [...decoder.probabilities.subarray(0, config.vocabulary)];
    expect(first.reduce((a, b) => a + b, 0)).toBeCloseTo(1, 5);

    const samples = (await sample(policy, [source], { n: 6000, temperature, maxTokens: 2 })).get(0)!;
    const count = (tokens: readonly number[]) =>
      Array.from({ length: config.vocabulary }, (_, id) => tokens.filter((token) => token === id).length);
    const followers = samples.filter(({ tokens }) => tokens[0] === favourite).map(({ tokens }) => tokens[1]!);
    expect(followers.length).toBeGreaterThan(300);
    // 19 degrees of freedom (<pad> is never drawn): above 43.8 once in a thousand seeds.
    expect(chiSquare(count(samples.map(({ tokens }) => tokens[0]!)), first)).toBeLessThan(43.8);
    expect(chiSquare(count(followers), second)).toBeLessThan(43.8);
  });
});
