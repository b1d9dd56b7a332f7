/**
 * Samples candidates from a trained policy and lets a reward choose: best-of-N by hand.
 *
 *     node examples/run-toy.mjs runs/example
 *     node examples/sample-and-rerank.mjs runs/example
 */

import { checked, NativePolicy, runFolder, Thread } from "coppice";

const dir = process.argv[2] ?? "runs/example";

// A reward is a name and a function from a batch to numbers in [0, 1]. `checked` holds it to that.
const reward = checked({
  name: "reversed",
  needsReference: false,
  async score(batch) {
    return batch.map(({ source, candidate }) => {
      const wanted = source.split(" ").reverse();
      const given = candidate.split(" ");
      const right = wanted.filter((word, place) => word === given[place]).length;
      return right / Math.max(wanted.length, given.length);
    });
  },
});

// The arithmetic runs in a worker thread; close it at the end.
const thread = new Thread();
const policy = await NativePolicy.load(thread, runFolder(dir).policy("G1I2"));

const sources = ["3 1 4", "2 7 1 8"].map((text, sourceId) => ({ sourceId, text }));
const options = { n: 8, temperature: 0.8, maxTokens: 8, seed: 1, grow: 0 };
for await (const candidates of policy.sample(sources, options)) {
  // Candidates come source by source, as each is done.
  for (const { sourceId, text: source } of sources) {
    const own = candidates.filter((candidate) => candidate.sourceId === sourceId);
    if (own.length === 0) continue;
    const rewards = await reward.score(own.map(({ text }) => ({ source, candidate: text })));
    const best = rewards.indexOf(Math.max(...rewards));
    console.log(`${source} → ${own[best].text} (reward ${rewards[best].toFixed(2)}, best of ${own.length})`);
  }
}

await policy.release();
await thread.close();
