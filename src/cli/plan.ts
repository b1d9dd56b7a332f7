/** `coppice improve --plan`: what each threshold would keep, as a table. */

import { UserError } from "../errors.js";
import { toText } from "../report/tables.js";
import { thresholdKinds } from "../rest/config-schema.js";
import { type ImprovePlan, planImprove, type Thresholds } from "../rest/plan.js";
import type { FolderOptions } from "./command.js";
import { openTerminal } from "./terminal.js";

/** Reads `percentile:50,75,90`. */
function parseThresholds(text: string): Thresholds {
  const [name, list] = text.split(":");
  const kind = thresholdKinds.find((one) => one === name);
  const values = (list ?? "").split(",").map((part) => (part.trim() === "" ? Number.NaN : Number(part)));
  if (!kind || values.some((value) => !Number.isFinite(value) || value < 0))
    throw new UserError(
      `--thresholds is ${JSON.stringify(text)} but must be a kind (${thresholdKinds.join(", ")}), a colon and numbers, such as percentile:50,75,90.`,
    );
  return { kind, values };
}

export async function showPlan({
  dir,
  thresholds,
  ...output
}: FolderOptions & { thresholds?: string }): Promise<void> {
  const plan = await planImprove(dir, thresholds === undefined ? undefined : parseThresholds(thresholds));
  openTerminal(output).result(plan, (colour) => planText(plan, colour));
}

function planText(plan: ImprovePlan, colour: boolean): string {
  const points = (reward: number | null) => (reward === null ? "–" : (100 * reward).toFixed(1));
  return toText(
    {
      title: `What each threshold would keep of Grow ${plan.grow}: ${plan.candidates} candidates of ${plan.sources} sources`,
      columns: [
        { header: "threshold", align: "left" },
        { header: "kept", align: "right" },
        { header: "share", align: "right" },
        { header: "sources", align: "right" },
        { header: "mean reward", align: "right" },
        { header: "characters", align: "right" },
      ],
      rows: plan.thresholds.map((row) => ({
        cells: [
          row.kept === 0 ? `${row.threshold} (keeps nothing)` : row.threshold,
          String(row.kept),
          `${(100 * row.share).toFixed(1)} %`,
          String(row.sourcesKept),
          points(row.meanReward),
          row.meanCharacters === null ? "–" : row.meanCharacters.toFixed(1),
        ],
      })),
      notes: [
        `Mean reward of all candidates ${points(plan.meanReward)}, the highest ${points(plan.maxReward)}. Nothing was changed.`,
      ],
    },
    { colour },
  );
}
