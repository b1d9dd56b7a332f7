/**
 * A reward of your own, as a function. Name it in your configuration:
 *
 *     reward:
 *       kind: module
 *       path: reward-module.mjs    # from the folder of the configuration
 *
 * A reward gets a batch of `{ source, candidate, reference? }` (the reference is there where your data has one) and
 * returns one number for each, in order, from 0 (bad) to 1 (good). It must give the same number at every call.
 * It may return a promise: load a model, ask a server.
 *
 * This one knows nothing of meaning. It is half of what a careful proof-reader sees at a glance: does the
 * translation end as the source does, and is it about as long? Alone it would be gamed at once; give it a small
 * weight in a sum beside a reward that reads.
 */

/** Ends that say the same in different scripts. */
const ENDINGS = { "。": ".", "！": "!", "？": "?", "…": "." };

/** Good translations from German to English have 0.7 to 1.3 characters for each of the source; adjust this to yours. */
const RATIO = { low: 0.7, high: 1.3 };

/** @param {{ source: string, candidate: string, reference?: string }[]} batch */
export default function score(batch) {
  return batch.map(({ source, candidate }) => {
    const endsAlike = ending(source) === ending(candidate) ? 1 : 0;
    return 0.5 * endsAlike + 0.5 * lengthScore(source, candidate);
  });
}

/** The closing punctuation mark, or nothing. */
function ending(text) {
  const last = text.trim().at(-1) ?? "";
  return ENDINGS[last] ?? (/[.!?:;]/.test(last) ? last : "");
}

/** 1 inside the range of ratios, falling to 0 at half its low end and at twice its high end. */
function lengthScore(source, candidate) {
  const ratio = candidate.trim().length / Math.max(1, source.trim().length);
  if (ratio < RATIO.low) return clamp((ratio - RATIO.low / 2) / (RATIO.low / 2));
  if (ratio > RATIO.high) return clamp((2 * RATIO.high - ratio) / RATIO.high);
  return 1;
}

function clamp(number) {
  return Math.min(1, Math.max(0, number));
}
