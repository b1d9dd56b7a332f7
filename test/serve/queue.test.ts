/** Which requests are decoded together, in which order, and what becomes of those that leave. */

import { describe, expect, test } from "vitest";
import { Interrupted } from "../../src/errors.js";
import type { Source } from "../../src/policy/policy.js";
import type { Answer } from "../../src/serve/policies.js";
import { DecodingQueue, QueueFull, type Settings, type Wish } from "../../src/serve/queue.js";

const settings: Settings = { policy: "G1I1", n: 1, temperature: 1, beams: 1, score: false };

const answerTo = ({ text }: Source): Answer => ({
  outputs: [{ text: text.toUpperCase(), tokens: [], logProbs: [], finished: true, reward: null }],
  sourceTokens: 1,
  sourceCut: false,
  pieces: () => [],
});

const textsOf = (answers: readonly Answer[]) => answers.map(({ outputs }) => outputs[0]!.text);

/** A queue whose batches end one by one, when told to. */
function gated({ most = 100, rows = 4 } = {}) {
  const batches: { texts: string[]; sources: readonly Source[]; end(error?: Error): void }[] = [];
  const sizes: object[] = [];
  const queue = new DecodingQueue({
    most,
    rows,
    onBatch: (batch) => sizes.push(batch),
    decode: (sources) =>
      new Promise((resolve, reject) => {
        batches.push({
          texts: sources.map(({ text }) => text),
          sources,
          end: (error) => (error ? reject(error) : resolve(sources.map(answerTo))),
        });
      }),
  });
  const ask = (texts: string[], over: Partial<Wish> = {}) =>
    queue.ask({ settings, texts, seed: 1, signal: new AbortController().signal, ...over });
  /** The batch that is being decoded. */
  const batch = async (index: number) => {
    while (batches.length <= index) await new Promise((resolve) => setTimeout(resolve));
    return batches[index]!;
  };
  return { queue, ask, batch, batches, sizes };
}

describe("a decoding queue", () => {
  test("decodes together what waits with equal settings, and answers each request with its own", async () => {
    const { queue, ask, batch, sizes } = gated();
    const first = ask(["a"]);
    (await batch(0)).texts.push("seen");
    const others = [ask(["b"]), ask(["c"], { settings: { ...settings, n: 2 } }), ask(["d", "e"])];
    expect(queue.length).toBe(4);
    expect(queue.rows).toBe(1);
    (await batch(0)).end();
    expect(textsOf(await first)).toEqual(["A"]);
    expect((await batch(1)).texts).toEqual(["b", "d", "e"]);
    (await batch(1)).end();
    (await batch(2)).end();
    expect((await Promise.all(others)).map(textsOf)).toEqual([["B"], ["C"], ["D", "E"]]);
    expect(sizes).toEqual([
      { sources: 1, rows: 1, requests: 1 },
      { sources: 3, rows: 3, requests: 2 },
      { sources: 1, rows: 2, requests: 1 },
    ]);
  });

  test("gathers requests of one moment into the first batch", async () => {
    const { ask, batch } = gated();
    const answers = [ask(["a"]), ask(["b"])];
    expect((await batch(0)).texts).toEqual(["a", "b"]);
    (await batch(0)).end();
    await Promise.all(answers);
  });

  test("those that were answered together and ask again at once are decoded together again", async () => {
    const { ask, batch } = gated();
    const client = async (text: string, pause: number) => {
      await ask([text]);
      for (let i = 0; i < pause; i++) await new Promise((resolve) => setImmediate(resolve));
      return ask([`${text} again`]);
    };
    const clients = [client("a", 0), client("b", 1), client("c", 2)];
    expect((await batch(0)).texts).toEqual(["a", "b", "c"]);
    (await batch(0)).end();
    expect((await batch(1)).texts).toEqual(["a again", "b again", "c again"]);
    (await batch(1)).end();
    await Promise.all(clients);
  });

  test("names draws by the request's seed and the text's place in it, not by the batch", async () => {
    const { ask, batch } = gated();
    const answers = [ask(["a", "b"], { seed: 5 }), ask(["c"], { seed: 7 })];
    const { sources, end } = await batch(0);
    expect(Object.fromEntries(sources.map(({ text, draws }) => [text, draws]))).toEqual({
      a: { seed: 5, sourceId: 0 },
      b: { seed: 5, sourceId: 1 },
      c: { seed: 7, sourceId: 0 },
    });
    end();
    await Promise.all(answers);
  });

  test("a long request and a short one take turns", async () => {
    const { ask, batch } = gated({ rows: 4 });
    const long = ask(["1", "2", "3", "4", "5", "6", "7", "8", "9"]);
    expect((await batch(0)).texts).toEqual(["1", "2", "3", "4"]);
    const short = ask(["x"]);
    (await batch(0)).end();
    expect((await batch(1)).texts.toSorted()).toEqual(["5", "6", "7", "x"]);
    (await batch(1)).end();
    expect(textsOf(await short)).toEqual(["X"]);
    (await batch(2)).end();
    expect(textsOf(await long)).toEqual(["1", "2", "3", "4", "5", "6", "7", "8", "9"]);
  });

  test("requests with other settings are not held up by a stream of equal ones", async () => {
    const { ask, batch } = gated({ rows: 2 });
    const long = ask(["1", "2", "3", "4"]);
    const first = await batch(0);
    const other = ask(["x"], { settings: { ...settings, temperature: 0 } });
    first.end();
    expect((await batch(1)).texts).toEqual(["x"]);
    (await batch(1)).end();
    expect((await batch(2)).texts).toEqual(["3", "4"]);
    (await batch(2)).end();
    await Promise.all([long, other]);
  });

  test("candidates fill the rows: one source of more candidates than rows goes alone", async () => {
    const { ask, batch } = gated({ rows: 4 });
    const wide = { ...settings, n: 8 };
    const answers = ask(["a", "b"], { settings: wide });
    expect((await batch(0)).texts).toEqual(["a"]);
    (await batch(0)).end();
    (await batch(1)).end();
    expect(textsOf(await answers)).toEqual(["A", "B"]);
  });

  test("refuses at once what finds no room, and takes it when there is", async () => {
    const { queue, ask, batch } = gated({ most: 2 });
    const first = ask(["a"]);
    await batch(0);
    const second = ask(["b", "c"]);
    expect(() => ask(["d"])).toThrow(QueueFull);
    (await batch(0)).end();
    await batch(1);
    expect(queue.length).toBe(0);
    const third = ask(["d"]);
    (await batch(1)).end();
    (await batch(2)).end();
    expect((await Promise.all([first, second, third])).map(textsOf)).toEqual([["A"], ["B", "C"], ["D"]]);
  });

  test("a request that leaves while it waits is not decoded; one that is decoded tells its source", async () => {
    const { queue, ask, batch, batches } = gated();
    const [running, waiting] = [new AbortController(), new AbortController()];
    const first = ask(["a"], { signal: running.signal });
    const { sources, end } = await batch(0);
    const second = ask(["b"], { signal: waiting.signal });
    const third = ask(["c"]);
    running.abort();
    waiting.abort();
    await expect(first).rejects.toBeInstanceOf(Interrupted);
    await expect(second).rejects.toBeInstanceOf(Interrupted);
    expect(sources[0]!.signal!.aborted).toBe(true);
    expect(queue.length).toBe(1);
    end();
    expect((await batch(1)).texts).toEqual(["c"]);
    (await batch(1)).end();
    await third;
    expect(batches.length).toBe(2);
  });

  test("a batch that fails fails its requests whole, and the next is decoded", async () => {
    const { ask, batch, queue } = gated({ rows: 2 });
    const first = ask(["a", "b", "c"]);
    await batch(0);
    const second = ask(["d"], { settings: { ...settings, n: 2 } });
    (await batch(0)).end(new Error("broken"));
    await expect(first).rejects.toThrow("broken");
    expect((await batch(1)).texts).toEqual(["d"]);
    expect(queue.length).toBe(0);
    (await batch(1)).end();
    expect(textsOf(await second)).toEqual(["D"]);
  });
});
