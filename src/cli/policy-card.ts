/** The card, `README.md`, of an exported policy: where it comes from, what was measured, how it is loaded. */

import { basename, resolve } from "node:path";
import { stringify } from "yaml";
import { escapeMarkdown } from "../report/escape.js";
import { judgeName } from "../report/figures.js";
import { decimal, plural, points, rewardPoints, translationsBy } from "../report/format.js";
import type { Config } from "../rest/config.js";
import { BC, isOnlinePolicy, parsePolicyName } from "../rest/names.js";
import {
  type CardRun,
  type Column,
  type Figures,
  judgeColumns,
  measuredOf,
  partings,
  range,
  rewardLine,
  table,
} from "./card-parts.js";
import type { LayoutName } from "./export-layouts.js";

/** The layouts of a whole model; an adapter has a card of its own. */
export type WholeLayout = Exclude<LayoutName, "peft" | "card">;

/** What a card is written from. */
export interface CardFacts {
  /** Name of the exported folder. */
  readonly title: string;
  readonly layout: WholeLayout;
  readonly policy: string;
  readonly config: Config;
  /** Whether each language has a tokenizer of its own. */
  readonly twoVocabularies: boolean;
  /** Those of the policy and of the one where ReST began, as far as they were evaluated. */
  readonly figures: readonly Figures[];
  /** The licence that the card of the model at the start names; absent where there is none. */
  readonly licence: string | undefined;
}

/** Reads what the run measured of a policy, and writes its card. */
export async function policyCard(
  run: CardRun,
  { policy, licence }: { policy: string; licence: string | undefined },
  exported: { layout: WholeLayout; out: string; twoVocabularies: boolean },
): Promise<string> {
  const figures = await measuredOf(run, policy);
  const { layout, out, twoVocabularies } = exported;
  const title = basename(resolve(out));
  return renderCard({ title, layout, twoVocabularies, policy, config: run.config, figures, licence });
}

/** The text of the card. No number in it is computed here: they are those of the evaluation. */
export function renderCard(facts: CardFacts): string {
  const { title, policy, config } = facts;
  const sections = [
    frontMatter(facts),
    `# ${escapeMarkdown(title)}`,
    `A translation model, policy \`${policy}\` of a run of Coppice: Reinforced ` +
      "Self-Training (ReST, [arXiv 2308.08998](https://arxiv.org/abs/2308.08998)).",
    `## How it was made\n\n${history(facts)
      .map((line) => `- ${line}`)
      .join("\n")}`,
    `## What was measured\n\n${measurements(facts)}`,
    `## Use\n\n${usage(facts)}`,
    "## Licence and limits\n\n" +
      (facts.licence === undefined
        ? "No licence is named here: it is for you to choose, within what the training data allow"
        : `The model that the run started from names the licence ${escapeMarkdown(facts.licence)}. Which one this model has is for you to say, within what that and the training data allow`) +
      (config.model.from === null || facts.licence !== undefined
        ? ". "
        : " and the model that it started from. ") +
      "Put it and the languages into the lines at the top of this file. What the training data and the reward are blind to, this " +
      "model is blind to as well.",
  ];
  return `${sections.join("\n\n")}\n`;
}

function frontMatter({ title, layout, figures, policy }: CardFacts): string {
  const own = figures.find(({ name }) => name === policy);
  const results = own && [
    {
      task: { type: "translation", name: "Translation" },
      dataset: { type: "own", name: "test part of the run's own pairs" },
      metrics: (["bleu", "chrf"] as const).map((type) => ({
        type,
        name: type === "bleu" ? "BLEU" : "chrF",
        value: Number(decimal(own[type].value, 2)),
      })),
    },
  ];
  const content = {
    library_name: layout === "huggingface" ? "transformers" : "transformers.js",
    pipeline_tag: "translation",
    tags: ["marian", "reinforced-self-training"],
    ...(results ? { metrics: ["bleu", "chrf"], "model-index": [{ name: title, results }] } : {}),
  };
  // Lines for their owner to fill in; a comment, since an empty value would be read as one.
  const open =
    "# license: \n# language: [from, to]\n# base_model: owner/name, if it is one that others can load\n";
  return `---\n${open}${stringify(content)}---`;
}

function history({ policy, config }: CardFacts): string[] {
  const { model, reward, grow, improve, bc } = config;
  const place = parsePolicyName(policy);
  const start =
    model.from === null
      ? `It was trained from random weights (preset ${model.preset}): ${plural(bc.steps, "step")} of imitation of human translations.`
      : `It started from the model \`${basename(model.from)}\`` +
        (bc.steps === 0
          ? " as it is."
          : `, fine-tuned for up to ${plural(bc.steps, "step")} on human translations.`);
  const lines = [start, rewardLine(reward)];
  if (!place || (place.grow === 0 && place.improve === 0)) return [...lines, "No step of ReST came after."];
  if (isOnlinePolicy(policy)) return [...lines, `Then ${policy} trained it online.`];
  const rounds = `${plural(place.grow, "Grow step")} of ${plural(grow.samples, "sample")} a source, and ${plural(place.improve, "Improve step")}`;
  const chosen = place.control
    ? "on candidates chosen at random: it is a control, which others are compared with"
    : `on what scored above a rising threshold (${improve.thresholds.kind})`;
  return [
    ...lines,
    `${rounds} after the last of them, by the loss ${improve.loss} for up to ${plural(improve.trainSteps, "step")} each, ${chosen}.`,
  ];
}

function measurements({ policy, figures, config }: CardFacts): string {
  const own = figures.find(({ name }) => name === policy);
  if (!own) return "This policy was not evaluated.";
  const judge = judgeName({ policies: figures });
  const columns: Column[] = [
    ["reward", (one) => range(one.reward, rewardPoints)],
    ["BLEU", (one) => range(one.bleu, points)],
    ["chrF", (one) => range(one.chrf, points)],
    ...judgeColumns(judge),
    ["KL", ({ name, klFromBc }) => (name === BC ? "–" : decimal(klFromBc, 2))],
  ];
  return (
    `On ${plural(own.n, "source")} of the run's test part, which no training saw. The reward is 0 to 100 and of samples; BLEU and chrF ` +
    `are of ${translationsBy(config.evaluate.beam)}; in brackets 95 % intervals; KL is from ${BC}, in nats a sequence.` +
    (judge === undefined
      ? ""
      : ` ${escapeMarkdown(judge)} is the judge: 0 to 100, of the translations that BLEU and chrF see; no policy is trained for it.`) +
    `\n\n${table(policy, figures, columns)}${partings(own, figures, config)}`
  );
}

function usage({ layout, title, twoVocabularies }: CardFacts): string {
  const folder = JSON.stringify(title);
  if (layout === "huggingface")
    return `\`\`\`python
from transformers import AutoTokenizer, MarianMTModel

tokenizer = AutoTokenizer.from_pretrained(${folder})
model = MarianMTModel.from_pretrained(${folder})
found = model.generate(**tokenizer(["A sentence."], return_tensors="pt", padding=True))
print(tokenizer.batch_decode(found, skip_special_tokens=True))
\`\`\``;
  const imports = twoVocabularies ? "AutoModelForSeq2SeqLM, AutoTokenizer, env" : "env, pipeline";
  const lines = twoVocabularies
    ? `const source = await AutoTokenizer.from_pretrained(${folder});
const target = await AutoTokenizer.from_pretrained(${JSON.stringify(`${title}/target`)});
const model = await AutoModelForSeq2SeqLM.from_pretrained(${folder}, { dtype: "fp32" }); // or "q8": a quarter of the size
const found = await model.generate(source(["A sentence."], { padding: true }));
console.log(target.batch_decode(found, { skip_special_tokens: true }));`
    : `const translate = await pipeline("translation", ${folder}, { dtype: "fp32" }); // or "q8": a quarter of the size
console.log(await translate(["A sentence."]));`;
  return `\`\`\`js
import { ${imports} } from "@huggingface/transformers";

env.allowRemoteModels = false;
env.localModelPath = "./"; // the folder that this one is in
${lines}
\`\`\`

It searches greedily, whatever the number of beams: Transformers.js has no beam search.`;
}
