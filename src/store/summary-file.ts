/** `summary.json` in and out: a policy's figures stand there as plain numbers, their intervals beside them. */

import { readFile } from "node:fs/promises";
import { UserError } from "../errors.js";
import { writeJsonAtomic } from "./atomic.js";
import type { Interval, PolicySummary, RunSummary } from "./summary.js";

type Figure = "reward" | "bleu" | "chrf";

/** A policy as `summary.json` and `coppice evaluate --json` show it. */
export type PolicyRow = Omit<PolicySummary, Figure> &
  Record<Figure, number> & { intervals: Record<Figure, { low: number; high: number }> };

/** The whole file. */
export type SummaryFile = Omit<RunSummary, "policies"> & { policies: PolicyRow[] };

export function policyRow(policy: PolicySummary): PolicyRow {
  const { name, grow, improve, reward, bleu, chrf, n, ...more } = policy;
  const bounds = ({ low, high }: Interval) => ({ low, high });
  return {
    ...{ name, grow, improve, reward: reward.value, bleu: bleu.value, chrf: chrf.value, n },
    intervals: { reward: bounds(reward), bleu: bounds(bleu), chrf: bounds(chrf) },
    ...more,
  };
}

function policySummary(row: PolicyRow): PolicySummary {
  const { intervals, reward, bleu, chrf, ...more } = row;
  return {
    ...more,
    reward: { value: reward, ...intervals.reward },
    bleu: { value: bleu, ...intervals.bleu },
    chrf: { value: chrf, ...intervals.chrf },
  };
}

export function summaryFile(summary: RunSummary): SummaryFile {
  return { ...summary, policies: summary.policies.map(policyRow) };
}

export async function writeSummaryFile(path: string, summary: RunSummary): Promise<void> {
  await writeJsonAtomic(path, summaryFile(summary));
}

/** The summary at `path`; undefined where there is none. Throws a UserError where it is not one. */
export async function readSummaryFile(path: string): Promise<RunSummary | undefined> {
  let text: string;
  try {
    text = await readFile(path, "utf8");
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === "ENOENT") return undefined;
    throw error;
  }
  try {
    const value = JSON.parse(text) as SummaryFile;
    if (value.format === 1) return { ...value, policies: value.policies.map(policySummary) };
  } catch {
    // Told below.
  }
  throw new UserError("this is not a summary that Coppice wrote. Delete it: coppice run makes it anew.", {
    file: path,
  });
}
