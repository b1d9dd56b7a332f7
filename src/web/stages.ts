/** A run's steps as the boxes of its pipeline. */

import type { PlannedStep } from "../rest/algorithm.js";
import { parsePolicyName } from "../rest/names.js";
import type { FinishedStep } from "../store/manifest.js";
import type { Stage } from "./protocol.js";

/**
 * One box for each step save evaluations, which belong to the policy they judge. `running` is the step that a process
 * works on; undefined where none does.
 */
export function stagesOf(
  plan: readonly PlannedStep[],
  finished: readonly FinishedStep[],
  running: string | undefined,
): Stage[] {
  const done = new Map(finished.map((step) => [step.name, step]));
  const boxes: { head: PlannedStep; members: string[] }[] = [];
  for (const step of plan) {
    if (step.kind !== "evaluate") boxes.push({ head: step, members: [step.name] });
    else boxes.find(({ head }) => step.name === `evaluate-${head.name}`)?.members.push(step.name);
  }
  return boxes.map(({ head, members }) => {
    const isDone = members.every((name) => done.has(name));
    const runs = running !== undefined && members.includes(running);
    return {
      id: head.name,
      kind: head.kind as Stage["kind"],
      ...placeOf(head),
      status: runs ? "running" : isDone ? "done" : "waiting",
      seconds: members.reduce((sum, name) => sum + (done.get(name)?.time.seconds ?? 0), 0),
    };
  });
}

function placeOf({ kind, name }: PlannedStep): Pick<Stage, "label" | "grow" | "control"> {
  const policy = parsePolicyName(name);
  const grow = policy?.grow ?? Number(/-(\d+)$/.exec(name)?.[1] ?? 0);
  const control = policy?.control ?? false;
  const labels: Record<PlannedStep["kind"], string> = {
    prepare: "Data",
    bc: "BC",
    reward: "Reward",
    grow: `Grow ${grow}`,
    score: "Score",
    value: "Value",
    improve: `${control ? "Random" : "Improve"} ${policy?.improve}`,
    online: name,
    evaluate: "Evaluate",
  };
  return { label: labels[kind], grow, control };
}
