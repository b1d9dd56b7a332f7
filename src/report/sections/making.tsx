/** @jsxRuntime automatic @jsxImportSource preact */

/** How the run was made: reward, data, machine, configuration. */

import { stringify } from "yaml";
import type { RunSummary } from "../../store/summary.js";
import { Facts } from "../components/facts.js";
import { Section } from "../components/section.js";
import { judgeName, steps } from "../figures.js";
import { count, decimal, percent, plural } from "../format.js";
import { withoutSecrets } from "../secrets.js";

export function Making({ summary }: { summary: RunSummary }) {
  return (
    <Section title="How it was made">
      <Facts facts={factsOf(summary)} />
      <details>
        <summary>Configuration</summary>
        <pre>{configuration(summary.config)}</pre>
      </details>
    </Section>
  );
}

function factsOf(summary: RunSummary): [term: string, fact: string][] {
  const { machine, data, reward } = summary;
  const judge = judgeName(summary);
  return [
    ["Reward", reward.name],
    ["Reward agrees with its target metric", agreement(reward) ?? "not measured (not a learned reward)"],
    ...(reward.retrained ?? []).map((again): [string, string] => [
      `Taught again before Grow ${again.grow}`,
      agreement(again) ?? "not measured",
    ]),
    [
      "Sentence pairs",
      `${count(data.train)} for training, ${count(data.rewardPart)} for the reward, ${count(data.validation)} for validation, ${count(data.test)} for the test`,
    ],
    ["The reward falls when a translation is damaged", probed(summary)],
    ["Held-out metric", summary.heldOut.why],
    ...(judge === undefined
      ? []
      : [["Judge", `${judge}: no policy is trained for it, nor chosen by it`] satisfies [string, string]]),
    ["BLEU signature", summary.bleuSignature],
    ["chrF signature", summary.chrfSignature],
    [
      "Policies",
      steps(summary)
        .map(({ name }) => name)
        .join(", "),
    ],
    ["Seed", String(summary.seed)],
    ["Finished", summary.finishedAt],
    [
      "Machine",
      `${machine.cpu}, ${plural(machine.cores, "core")}, ${decimal(machine.memoryGb, 0)} GB, ${machine.os}, Node ${machine.node}`,
    ],
    ["Coppice", summary.coppice],
  ];
}

/** How the reward's order agrees with its target metric, in words; undefined where it was not measured. */
function agreement(measured: {
  kendall?: number;
  spearman?: number;
  pairwiseAccuracy?: number;
  pairs?: number;
}): string | undefined {
  const { kendall, spearman, pairwiseAccuracy, pairs } = measured;
  const parts = [
    typeof kendall !== "number" ? [] : `Kendall's τ ${decimal(kendall, 3)}`,
    typeof spearman !== "number" ? [] : `Spearman's ρ ${decimal(spearman, 3)}`,
    typeof pairwiseAccuracy !== "number"
      ? []
      : `${percent(pairwiseAccuracy)} of pairs of one source in the right order`,
  ].flat();
  if (parts.length === 0) return undefined;
  return `${parts.join(", ")}, on unseen sources${typeof pairs !== "number" ? "" : ` (${plural(pairs, "pair")})`}`;
}

/** Share of noticed damage, kind by kind. */
function probed({ reward }: RunSummary): string {
  if (reward.probe === undefined || reward.probe.length === 0) return "not probed";
  return reward.probe.map(({ damage, noticed }) => `${damage} ${percent(noticed)}`).join(", ");
}

/** The configuration as YAML, secrets left out. */
function configuration(config: unknown): string {
  if (config === undefined) return "(not recorded)";
  return stringify(withoutSecrets(config), { lineWidth: 0 }).trimEnd();
}
