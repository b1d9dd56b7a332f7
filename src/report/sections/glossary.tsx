/** @jsxRuntime automatic @jsxImportSource preact */

/** What the words of the page mean. */

import { Facts } from "../components/facts.js";
import { Section } from "../components/section.js";
import { count, decimal, percent, rewardPoints } from "../format.js";
import { BOUNDS } from "../verdict.js";

const GLOSSARY: [string, string][] = [
  [
    "mean reward",
    "Mean of the reward over samples drawn at the evaluation temperature, times 100. Higher is better. It is what training aims at, so that alone it proves little.",
  ],
  [
    "95 % interval, noise",
    'Bootstrap over the evaluated sentences. "Beyond noise": the intervals of two policies do not overlap. "Within noise": they do, so that the change may be chance.',
  ],
  ["vs BC", "Difference of mean reward to the starting policy, in points."],
  [
    "BLEU, chrF",
    "Agreement of the policy's translations with human references, in word sequences (BLEU) and character sequences (chrF); 0 to 100, higher is better. They show whether a gain of reward is real.",
  ],
  [
    "KL",
    "How far the policy has moved from BC: Kullback-Leibler divergence a sentence at temperature 1, in nats: exact over the vocabulary, at prefixes sampled from the policy. 0 means not at all.",
  ],
  [
    "distinct",
    "Distinct pairs of neighbouring words among all pairs (distinct-2), 0 to 1. A sharp fall means monotonous output.",
  ],
  [
    "unique",
    "Share of samples that differ from each other. Few unique samples leave a next Grow step little to choose from.",
  ],
  [
    "judge",
    "A published metric named by evaluate.judge. It scores the translations that BLEU and chrF see; nothing is trained for it or chosen by it. Where the reward rises and the judge falls, the policy is likely to game the reward.",
  ],
  ["held out", "Of another family than the reward: a policy that games the reward does not gain by it."],
  [
    "repeats, copies",
    "Share of words that repeat the word or word pair just before; share of samples at least half of whose words stand in the source.",
  ],
  [
    "loss",
    "Mean negative log-likelihood a token of human translations, in nats, on a sample of the training pairs and of pairs out of domain. A rise is forgetting.",
  ],
  ["length", "Characters of the translations over those of the references; 1 is equally long."],
  ["unfinished", "Share of candidates cut at the length limit."],
  [
    "samples, calls",
    "Candidates sampled, and calls of the reward, up to this policy, evaluation not counted: the price.",
  ],
  ["time", "Work up to this policy."],
  [
    "† control",
    "Trained on as many candidates chosen at random, by the same steps: what more training on own samples gives without selection by reward.",
  ],
  ["threshold", "A candidate is kept when its reward is strictly above it."],
  ["tied", "Share of sources whose candidates all score alike: nothing can be chosen among them."],
  [
    "best of N",
    "The candidate with the highest reward among N; expected value over all subsets of one pool.",
  ],
];

export function Glossary() {
  return (
    <Section title="What the words mean">
      <Facts facts={GLOSSARY} />
      <p class="note">
        {/* A number stays on one line with its percent sign. */}
        {bounds().replace(/(\d) %/g, "$1\u00a0%")}
      </p>
    </Section>
  );
}

function bounds(): string {
  return `Warnings appear at: fewer than ${count(BOUNDS.sentences)} sentences, reward of ${rewardPoints(BOUNDS.ceiling)} or more, unfinished above ${percent(BOUNDS.unfinished)}, tied sources above ${percent(BOUNDS.ties)}, sources kept below ${percent(BOUNDS.sourcesKept)}, distinct-2 below ${percent(BOUNDS.distinctLeft)} or unique samples or entropy below ${percent(BOUNDS.uniqueLeft)} of BC's, length ratio changed by more than ${percent(BOUNDS.length)}, copies up by more than ${percent(BOUNDS.copying)}, loss up by more than ${decimal(BOUNDS.forgetting, 1)} nats, Kendall's τ of the reward below ${decimal(BOUNDS.kendall, 1)}. Rules of thumb.`;
}
