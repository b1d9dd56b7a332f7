/**
 * BLEU and chrF of translations, equal to sacreBLEU's to the last printed digit, signature included.
 *
 *     node examples/score-with-bleu.mjs
 */

import { bestOfNCurve, corpusBleu, corpusChrf, sentenceChrf } from "coppice";

const references = ["The dog is playing in the garden.", "Two people are waiting for a bus."];
const translations = ["The dog plays in the garden.", "Two people wait for the bus."];

const bleu = corpusBleu(translations, references);
console.log(`BLEU ${bleu.score.toFixed(1)} (${bleu.signature})`);

const chrf = corpusChrf(translations, references);
console.log(`chrF ${chrf.score.toFixed(1)} (${chrf.signature})`);

// One source, three candidates: what is the best of N worth, if the reward chooses and chrF judges?
const candidates = ["The dog plays.", "The dog plays in the garden.", "A garden dog."];
const metric = candidates.map((text) => sentenceChrf(text, references[0]));
const pool = { rewards: [0.4, 0.9, 0.1], metric };
for (const { n, reward, metric: judged } of bestOfNCurve([pool], [1, 2, 3]))
  console.log(`best of ${n}: reward ${reward.toFixed(2)}, chrF ${judged.toFixed(1)}`);
