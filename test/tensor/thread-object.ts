/** An object for the tests of threads; it lives in the worker. */

import { Interrupted, UserError } from "../../src/errors.js";
import { Graph } from "../../src/tensor/graph.js";
import { matmul } from "../../src/tensor/operations.js";
import { floats, Program } from "../../src/tensor/program.js";
import type { CallContext, RemoteObject } from "../../src/tensor/thread-worker.js";

const SIZE = 512;

/** A program whose one run multiplies a matrix by itself `times` times. */
async function multiplications(times: number): Promise<Program> {
  const graph = new Graph();
  const x = graph.input("x", [SIZE, SIZE]);
  let product = x;
  for (let i = 0; i < times; i++) product = matmul(product, x);
  // One thread, so that it takes a while on any machine.
  return Program.compile(graph, { product }, { threads: 1 });
}

export default async function open(args: { times: number }): Promise<RemoteObject> {
  const program = await multiplications(args.times);
  const calls: string[] = [];
  let released = false;
  const multiply = async (): Promise<number> => {
    if (released) throw new Error("released before the call");
    const start = performance.now();
    await program.run({ x: floats(new Float32Array(SIZE * SIZE), [SIZE, SIZE]) });
    return performance.now() - start;
  };
  return {
    methods: {
      /** One native call; its milliseconds. */
      multiply,
      /** Native calls until it is asked to stop. */
      multiplyUntilCancelled: async (_: undefined, context: CallContext) => {
        for (let call = 1; ; call++) {
          if (context.cancelled()) throw new Interrupted();
          await multiply();
          context.progress(call);
        }
      },
      note: (name: string) => {
        calls.push(name);
        return calls;
      },
      fail: (kind: string) => {
        if (kind === "user") throw new UserError("found 3, expected 4", { file: "pairs.tsv", line: 7 });
        if (kind === "range") throw new RangeError("out of range");
        throw "a text";
      },
      unsendable: () => () => 1,
    },
    release: async () => {
      released = true;
      await program.release();
    },
  };
}
