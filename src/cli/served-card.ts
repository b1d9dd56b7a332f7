/** The card of a policy that is a model of a server: its weights are elsewhere, what the run measured of it is here. */

import { basename, resolve } from "node:path";
import { stringify } from "yaml";
import { escapeMarkdown, visible } from "../report/escape.js";
import { judgeName } from "../report/figures.js";
import { MISSING, percent, plural, points, rewardPoints } from "../report/format.js";
import type { Config } from "../rest/config.js";
import { parsePolicyName } from "../rest/names.js";
import type { Interval } from "../store/summary.js";
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

/** @param model The policy as the server knows it: a name, or a folder, of which the card has the last part alone. */
export async function servedCard(run: CardRun, policy: string, model: string, out: string): Promise<string> {
  return renderServedCard({
    title: basename(resolve(out)),
    policy,
    model: basename(model),
    config: run.config,
    figures: await measuredOf(run, policy),
  });
}

/** What the card is written from. */
export interface ServedCardFacts {
  readonly title: string;
  readonly policy: string;
  readonly model: string;
  readonly config: Config;
  /** Of the policy and of the one where ReST began, as far as they were evaluated. */
  readonly figures: readonly Figures[];
}

/** The text of the card. No number in it is computed here: they are those of the evaluation. */
export function renderServedCard({ title, policy, model, config, figures }: ServedCardFacts): string {
  const front = stringify({ pipeline_tag: "text-generation", tags: ["reinforced-self-training"] });
  const sections = [
    // Lines for their owner to fill in; a comment, since an empty value would be read as one.
    `---\n# license: \n# base_model: owner/name\n${front}---`,
    `# ${escapeMarkdown(title)}`,
    `The model ${code(model)}, policy \`${policy}\` of a run of Coppice: Reinforced Self-Training ` +
      "(ReST, [arXiv 2308.08998](https://arxiv.org/abs/2308.08998)).",
    `## How it was made\n\n${history(policy, config)
      .map((line) => `- ${line}`)
      .join("\n")}`,
    `## What was measured\n\n${measurements(policy, figures, config)}`,
    "## Licence and limits\n\nNo licence is named here: that of the model at the start, and of the training data, bind whoever hands it " +
      "on. Put it into the lines at the top of this file. What the training data and the reward are blind to, this model is blind to " +
      "as well.",
  ];
  return `${sections.join("\n\n")}\n`;
}

/** A server's names are anybody's: none ends the code that it stands in. */
function code(name: string): string {
  return `\`${visible(name).replaceAll("`", "'")}\``;
}

function history(policy: string, { policy: served, reward, grow, improve }: Config): string[] {
  const start =
    served.kind === "server" ? [`It started from the model ${code(basename(served.model))}.`] : [];
  const lines = [...start, rewardLine(reward)];
  const place = parsePolicyName(policy);
  if (!place || (place.grow === 0 && place.improve === 0)) return [...lines, "No step of ReST came after."];
  const chosen = place.control
    ? "at random: it is a control, which others are compared with"
    : `above a rising threshold (${improve.thresholds.kind})`;
  return [
    ...lines,
    `${plural(place.grow, "Grow step")} of ${plural(grow.samples, "sample")} a source at temperature ${grow.temperature}, and ` +
      `${plural(place.improve, "Improve step")} after the last of them, each by the run's own trainer on candidates chosen ${chosen}.`,
  ];
}

function measurements(policy: string, figures: readonly Figures[], config: Config): string {
  const own = figures.find(({ name }) => name === policy);
  if (!own) return "This policy was not evaluated.";
  const attempts = own.answers?.attempts ?? [];
  const at = (one: Figures, k: number) => one.answers?.attempts.find((attempt) => attempt.k === k);
  const shared = (figure: Interval | undefined) => (figure ? range(figure, percent) : MISSING);
  const judge = judgeName({ policies: figures });
  const columns: Column[] = [
    ["reward", (one) => range(one.reward, rewardPoints)],
    ...(own.answers
      ? [
          ["exact match", (one) => shared(one.answers?.exact)] satisfies Column,
          ...attempts.map(({ k }): Column => [`pass@${k}`, (one) => shared(at(one, k)?.pass)]),
          ...attempts
            .filter(({ k }) => k > 1)
            .map(({ k }): Column => [`maj@${k}`, (one) => shared(at(one, k)?.majority)]),
        ]
      : [
          ["BLEU", (one) => range(one.bleu, points)] satisfies Column,
          ["chrF", (one) => range(one.chrf, points)] satisfies Column,
        ]),
    ...judgeColumns(judge),
  ];
  const told = own.answers
    ? "Exact match is of one answer at temperature 0; pass@k and maj@k are estimated without bias from samples."
    : "BLEU and chrF are of one answer at temperature 0.";
  return (
    `On ${plural(own.n, "source")} of the run's test part, which no training saw. The reward is 0 to 100 and of samples. ${told} In ` +
    `brackets 95 % intervals.${judge === undefined ? "" : ` ${escapeMarkdown(judge)} is the judge: 0 to 100, of the answers at temperature 0; no policy is trained for it.`}` +
    `\n\n${table(policy, figures, columns)}${partings(own, figures, config)}`
  );
}
