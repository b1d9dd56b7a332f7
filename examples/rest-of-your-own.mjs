/**
 * Algorithm 1 with a policy of your own: `rest` knows nothing of networks, files or threads.
 *
 *     node examples/rest-of-your-own.mjs
 *
 * The policy here is a table, word by word, how often each English word was seen for a German one. Human pairs taught it
 * some wrong ones; Grow draws from it, the reward knows better, and Improve counts again what is above the threshold.
 */

import { rest } from "coppice";

const words = ["Hund", "Katze", "Haus"];
const dictionary = { Hund: "dog", Katze: "cat", Haus: "house" };
const human = [
  ["Hund", "dog"],
  ["Hund", "cat"],
  ["Katze", "cat"],
  ["Katze", "house"],
  ["Haus", "house"],
  ["Haus", "dog"],
];
const thresholds = [0.2, 0.6];

/** In [0, 1]: right is 1, an animal for an animal 0.5. */
function reward(source, candidate) {
  if (dictionary[source] === candidate) return 1;
  return source !== "Haus" && candidate !== "house" ? 0.5 : 0;
}

/** Maximum likelihood for a table is counting. */
const learn = (pairs) =>
  Object.fromEntries(
    words.map((word) => [word, pairs.flatMap(([source, target]) => (source === word ? [target] : []))]),
  );

/** Every second draw the one, every second the other: enough chance for a table. */
const sample = (policy, source, n) =>
  Array.from({ length: n }, (_, i) => policy[source][i % policy[source].length]);

const meanReward = (policy) => {
  const rewards = words.flatMap((word) =>
    sample(policy, word, 12).map((candidate) => reward(word, candidate)),
  );
  return rewards.reduce((sum, value) => sum + value, 0) / rewards.length;
};

const show = (name, policy) => {
  console.log(
    `${name}: mean reward ${meanReward(policy).toFixed(2)}, Hund → ${[...new Set(policy.Hund)].join(" or ")}`,
  );
  return policy;
};

await rest({
  growSteps: 1,
  improveSteps: thresholds.length,
  imitate: async () => show("G0I0", learn(human)),
  grow: async (policy) => {
    const drawn = words.flatMap((word) => sample(policy, word, 8).map((candidate) => [word, candidate]));
    return [...drawn, ...human].map(([source, candidate]) => ({
      source,
      candidate,
      reward: reward(source, candidate),
    }));
  },
  improve: async (_, candidates, grow, improve) => {
    const kept = candidates.filter((candidate) => candidate.reward > thresholds[improve - 1]);
    return show(`G${grow}I${improve}`, learn(kept.map(({ source, candidate }) => [source, candidate])));
  },
});
