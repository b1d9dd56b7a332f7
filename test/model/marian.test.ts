import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { Marian, positionTable } from "../../src/model/marian.js";
import type { Group } from "../../src/policy/batches.js";
import { beamSearch } from "../../src/policy/beam.js";
import { Decoder, DecoderPrograms } from "../../src/policy/decoder.js";
import { BatchFeeder, recordTeacherForcing, tokenGraph } from "../../src/policy/network.js";
import { sampleAll } from "../../src/policy/sampler.js";
import { gradients } from "../../src/tensor/differentiate.js";
import { Graph, type Value } from "../../src/tensor/graph.js";
import { floatData, Program, type Tensor } from "../../src/tensor/program.js";
import { addRows } from "../../src/tensor/trainer.js";
import { FIXTURES, largestDifference, type MarianFixture, marianFixture } from "./marian-fixture.js";

const never = () => false;

/** A program that gives loss, log-probabilities and all gradients, as training runs it. */
async function compileTraining({ config, parameters }: MarianFixture): Promise<Program> {
  const { graph, loss, logProbs } = tokenGraph(config, { smoothing: 0, dropout: false });
  const weights = graph.values.filter((value) => value.source.kind === "parameter");
  const outputs: Record<string, Value> = { loss, logProbs };
  gradients(loss, weights).forEach(({ dense, rows }, i) => {
    const { name } = parameters.spec(weights[i]!.name);
    if (dense) outputs[`d.${name}`] = dense;
    rows.forEach((row, j) => {
      outputs[`rows.${name}.${j}`] = row.rows;
      outputs[`ids.${name}.${j}`] = row.ids;
    });
  });
  return Program.compile(graph, outputs);
}

async function compileLogits({ config }: MarianFixture): Promise<Program> {
  const graph = new Graph();
  const marian = new Marian(graph, config);
  return Program.compile(graph, { logits: marian.logits(recordTeacherForcing(marian)) });
}

describe.each(FIXTURES)("the %s model of Transformers 5.23.0", (name) => {
  let fixture: MarianFixture;
  let feeder: BatchFeeder;
  let training: Program;
  let decoderPrograms: DecoderPrograms;

  beforeAll(async () => {
    fixture = await marianFixture(name);
    feeder = new BatchFeeder(fixture.config);
    training = await compileTraining(fixture);
    decoderPrograms = new DecoderPrograms(fixture.config, fixture.parameters);
  });
  afterAll(async () => {
    await training.release();
    await decoderPrograms.release();
  });

  const run = (groups: readonly Group[], scale = 1): Promise<Record<string, Tensor>> => {
    const { feeds, symbols } = feeder.batch(groups, scale);
    return training.run({ ...fixture.parameters.feeds(), ...feeds }, symbols);
  };
  const logProbsOf = async (groups: readonly Group[]): Promise<Float32Array> =>
    floatData((await run(groups)).logProbs);
  const tokens = () => fixture.groups.reduce((sum, { targets }) => sum + targets[0]!.tokens.length, 0);

  it("has the same position embeddings", () => {
    const { positions } = fixture.results;
    const ours = positionTable(positions.length, fixture.config.width);
    expect(largestDifference(ours, positions.flat()).difference).toBeLessThan(1e-6);
  });

  it("gives the same logits, where the source or the target is padded too", async () => {
    const logits = await compileLogits(fixture);
    const { feeds, symbols } = feeder.batch(fixture.groups, 1);
    const outputs = await logits.run({ ...fixture.parameters.feeds(), ...feeds }, symbols);
    await logits.release();
    const ours = floatData(outputs.logits);
    const vocabulary = fixture.config.targetVocabulary;
    const time = fixture.results.labels[0]!.length;
    expect(ours.length).toBe(fixture.groups.length * time * vocabulary);
    fixture.groups.forEach(({ targets }, row) => {
      // Behind its end a target holds other padding here than there; nobody reads those logits.
      const length = targets[0]!.tokens.length;
      const start = row * time * vocabulary;
      const theirs = fixture.results.logits[row]!.slice(0, length).flat();
      expect(
        largestDifference(ours.subarray(start, start + length * vocabulary), theirs).difference,
      ).toBeLessThan(1e-4);
    });
  });

  it("gives the same loss", async () => {
    const { loss } = await run(fixture.groups, 1 / tokens());
    expect(Math.abs(floatData(loss)[0]! - fixture.results.loss)).toBeLessThan(1e-4);
  });

  it("gives the same log-probability for every token", async () => {
    const theirs = fixture.results.logProbabilities.flatMap((row, i) =>
      row.slice(0, fixture.groups[i]!.targets[0]!.tokens.length),
    );
    expect(largestDifference(await logProbsOf(fixture.groups), theirs).difference).toBeLessThan(1e-4);
  });

  it("gives the same gradient for every weight", async () => {
    const outputs = await run(fixture.groups, 1 / tokens());
    const ours = fixture.parameters.like();
    for (const { name: weight } of ours.specs) {
      const dense = outputs[`d.${weight}`];
      if (dense) ours.view(weight).set(floatData(dense));
      for (let i = 0; outputs[`ids.${weight}.${i}`]; i++) {
        const ids = outputs[`ids.${weight}.${i}`]!.data as BigInt64Array;
        const rows = floatData(outputs[`rows.${weight}.${i}`]).slice();
        // PyTorch's padding_idx: looking <pad> up gives its row no gradient, though it starts the decoder.
        const width = rows.length / ids.length;
        ids.forEach((id, k) => {
          if (Number(id) === fixture.config.padId) rows.fill(0, k * width, (k + 1) * width);
        });
        addRows(ours.view(weight), ids, rows);
      }
    }
    // There final_logits_bias is a buffer, which training leaves alone.
    const compared = ours.specs.map((spec) => spec.name).filter((weight) => weight !== "final_logits_bias");
    expect(compared.sort()).toEqual([...fixture.gradients.keys()].sort());
    for (const weight of compared) {
      const theirs = fixture.gradients.get(weight)!.data as Float32Array;
      const { difference, at } = largestDifference(ours.view(weight), theirs);
      expect(difference, `${weight}[${at}]`).toBeLessThan(1e-5);
    }
  });

  it("pads without effect", async () => {
    const together = await logProbsOf(fixture.groups);
    let at = 0;
    for (const group of fixture.groups) {
      const length = group.targets[0]!.tokens.length;
      const alone = await logProbsOf([group]);
      expect(largestDifference(alone, together.subarray(at, at + length)).difference).toBeLessThan(1e-5);
      at += length;
    }
  });

  it("gives candidates that share one encoder pass the log-probabilities they have alone", async () => {
    const sources = fixture.groups.map(({ source }) => source);
    const targets = [...fixture.groups.map((group) => group.targets[0]!), { tokens: [5, 0], weight: 1 }];
    // Unequal numbers of candidates, so that some of the grid stays empty.
    const groups = [
      { source: sources[0]!, targets },
      { source: sources[1]!, targets: targets.slice(1, 3) },
      { source: sources[2]!, targets: targets.slice(3) },
    ];
    const shared = await logProbsOf(groups);
    let at = 0;
    for (const { source, targets } of groups)
      for (const target of targets) {
        const alone = await logProbsOf([{ source, targets: [target] }]);
        const end = at + target.tokens.length;
        expect(largestDifference(alone, shared.subarray(at, end)).difference).toBeLessThan(1e-5);
        at = end;
      }
    expect(at).toBe(shared.length);
  });

  it("does not touch a target of weight 0", async () => {
    const [first, second] = fixture.groups;
    const ignored = { ...second!, targets: [{ ...second!.targets[0]!, weight: 0 }] };
    const loss = floatData((await run([first!, ignored])).loss)[0]!;
    expect(loss).toBeCloseTo(floatData((await run([first!])).loss)[0]!, 4);
  });

  const sourcesOf = () => fixture.groups.map(({ source }, sourceId) => ({ sourceId, tokens: source }));

  it("writes the same translations greedily", async () => {
    const { config, results } = fixture;
    // At its last place the swish model is forced to end; ours never is.
    const greedy = results.generations.filter(
      ({ beams, maxNewTokens }) => beams === 1 && (name === "relu" || maxNewTokens === 20),
    );
    expect(greedy.length).toBeGreaterThan(0);
    for (const { maxNewTokens, sequences } of greedy) {
      const decoder = new Decoder(config, decoderPrograms, feeder, {
        groups: 1,
        temperature: 1,
      });
      const options = {
        n: 1,
        greedy: true,
        topK: 0,
        topP: 1,
        maxTokens: maxNewTokens,
        seed: 0,
        grow: 0,
        eosId: config.eosId,
        vocabulary: config.targetVocabulary,
      };
      const found: number[][] = [];
      for await (const done of sampleAll(decoder, sourcesOf(), options, never))
        for (const { sourceId, samples } of done) {
          found[sourceId] = samples[0]!.tokens;
          expect(samples[0]!.finished).toBe(samples[0]!.tokens.at(-1) === config.eosId);
        }
      expect(found).toEqual(sequences.map(([best]) => withoutPadding(best!, config.padId)));
    }
  });

  it("finds the same beams with the same scores", async () => {
    const { config, results } = fixture;
    const searches = results.generations.filter(
      ({ beams, earlyStopping, maxNewTokens }) =>
        beams > 1 && earlyStopping === false && (name === "relu" || maxNewTokens === 20),
    );
    expect(searches.length).toBeGreaterThan(2);
    for (const { beams, maxNewTokens, lengthPenalty, sequences, scores } of searches) {
      const decoder = new Decoder(config, decoderPrograms, feeder, {
        groups: 2,
        lanes: beams,
        temperature: 1,
      });
      const options = {
        beams,
        lengthPenalty: lengthPenalty!,
        maxTokens: maxNewTokens,
        eosId: config.eosId,
        vocabulary: config.targetVocabulary,
      };
      for await (const done of beamSearch(decoder, sourcesOf(), options, never))
        for (const { sourceId, others, ...best } of done) {
          const found = [best, ...others];
          expect(found.map(({ tokens }) => tokens)).toEqual(
            sequences[sourceId]!.map((sequence) => withoutPadding(sequence, config.padId)),
          );
          // To 1e-5 of their size: a penalty of −1 multiplies the sums, and what rounding did to them, by the length.
          found.forEach(({ score }, i) => {
            const theirs = scores![sourceId]![i]!;
            expect(Math.abs(score - theirs) / Math.max(1, Math.abs(theirs))).toBeLessThan(1e-5);
          });
          for (const { tokens, logProbs, score, finished } of found) {
            const sum = logProbs.reduce((a, b) => a + b, 0);
            expect(score).toBeCloseTo(sum / tokens.length ** lengthPenalty!, 6);
            expect(finished).toBe(tokens.at(-1) === config.eosId);
          }
        }
    }
  });
});

/** A sequence of `generate` without the start token and what fills it up. */
function withoutPadding(sequence: readonly number[], padId: number): number[] {
  return sequence.slice(1).filter((id) => id !== padId);
}
