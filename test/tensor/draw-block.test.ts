import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { Graph } from "../../src/tensor/graph.js";
import { drawBlock, takeBlock } from "../../src/tensor/operations.js";
import { floatData, floats, Program } from "../../src/tensor/program.js";

const WIDTH = 2;

/** Finds blocks of two columns in rows of `columns`. */
async function finder(columns: number) {
  const graph = new Graph();
  const probabilities = graph.input("probabilities", ["rows", columns]);
  const { block, rest } = drawBlock(probabilities, graph.input("goal", ["rows", 2]), WIDTH);
  const program = await Program.compile(graph, { block, rest, held: takeBlock(probabilities, block, WIDTH) });
  const find = async (row: readonly number[], goals: readonly number[]) => {
    const rows = goals.length;
    const pairs = goals.flatMap((goal) => [Math.fround(goal), goal - Math.fround(goal)]);
    const matrix = Float32Array.from(goals.flatMap(() => row));
    const feeds = {
      probabilities: floats(matrix, [rows, columns]),
      goal: floats(Float32Array.from(pairs), [rows, 2]),
    };
    const outputs = await program.run(feeds, { rows });
    return goals.map((_, i) => ({
      block: Number(outputs.block!.data[i]),
      rest: floatData(outputs.rest)[i]!,
      held: [...floatData(outputs.held).subarray(i * WIDTH, (i + 1) * WIDTH)],
    }));
  };
  return { find, release: () => program.release() };
}

describe("the block in which the running sum passes a goal", () => {
  let even: Awaited<ReturnType<typeof finder>>;
  let odd: Awaited<ReturnType<typeof finder>>;
  beforeAll(async () => {
    even = await finder(6);
    odd = await finder(5);
  });
  afterAll(async () => {
    await even.release();
    await odd.release();
  });

  it("is found with what is left there: sums of 3/8, 1/8 and 4/8", async () => {
    const row = [1 / 8, 2 / 8, 0, 1 / 8, 3 / 8, 1 / 8];
    expect(await even.find(row, [0, 1 / 4, 3 / 8, 7 / 16, 4 / 8, 15 / 16])).toEqual([
      { block: 0, rest: 0, held: [1 / 8, 2 / 8] },
      { block: 0, rest: 1 / 4, held: [1 / 8, 2 / 8] },
      // A sum that equals the goal has not passed it.
      { block: 1, rest: 0, held: [0, 1 / 8] },
      { block: 1, rest: 1 / 16, held: [0, 1 / 8] },
      { block: 2, rest: 0, held: [3 / 8, 1 / 8] },
      { block: 2, rest: 7 / 16, held: [3 / 8, 1 / 8] },
    ]);
  });

  it("may be cut short by the end of the row, whose last column then stands twice", async () => {
    expect(await odd.find([1 / 4, 1 / 4, 0, 0, 1 / 2], [1 / 4, 3 / 4])).toEqual([
      { block: 0, rest: 1 / 4, held: [1 / 4, 1 / 4] },
      { block: 2, rest: 1 / 4, held: [1 / 2, 1 / 2] },
    ]);
  });

  it("is never one without probability, even where the sum falls short of the goal", async () => {
    const found = await even.find([0, 0, 1 / 2, 1 / 4, 0, 0], [0, 3 / 4, 1 - 2 ** -53]);
    expect(found.map(({ block }) => block)).toEqual([1, 1, 1]);
  });

  it("is found where it holds less than float32 can tell from 1", async () => {
    const tiny = 2 ** -40;
    const row = [1 / 2, 1 / 2, tiny, 0, 0, 0];
    expect(await even.find(row, [1 - tiny, 1 + tiny / 2])).toEqual([
      { block: 0, rest: 1, held: [1 / 2, 1 / 2] },
      { block: 1, rest: tiny / 2, held: [tiny, 0] },
    ]);
  });
});
