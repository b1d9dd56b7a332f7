/** Says before money is spent whether ReST is likely to help: the paper's "when not to use" made checkable. */

import type { RunContext } from "../context.js";
import {
  type Diagnosis,
  diagnose,
  judgeBestOf,
  judgeCost,
  judgeRepeat,
  judgeSpread,
  judgeTemperature,
} from "./diagnose.js";
import { type DoctorOptions, type Measurements, measure } from "./measure.js";

/** Measures on validation sources, never on the test part; stores nothing. */
export async function examine(
  run: RunContext,
  options: DoctorOptions,
): Promise<Diagnosis & { figures: Measurements }> {
  const figures = await measure(run, options);
  const findings = [
    judgeSpread(figures.spread),
    judgeBestOf(figures.bestOf),
    judgeTemperature(figures.temperatures.temperature, figures.temperatures.rows),
    judgeCost(figures.cost),
    judgeRepeat(figures.repeat),
  ];
  return { ...diagnose(findings), figures };
}
