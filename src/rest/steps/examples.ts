/** What the kept candidates become for a loss: weights, and numbers of BC and of the value function at every token. */

import type { LossRequest } from "../../policy/loss.js";
import type { Example } from "../../policy/policy.js";
import type { SelectedRow } from "../../store/select.js";
import type { Config } from "../config.js";
import type { RunContext } from "../context.js";
import { improveLoss, lossRequest } from "../losses/losses.js";
import { BC } from "../names.js";
import { usableValue } from "./value.js";

/** Less weight than this changes nothing in float32 beside the candidates of weight 1. */
const LEAST_WEIGHT = 1e-6;

/** The loss that the configuration names, as the worker is told of it; BC's likelihood needs no telling. */
export function configuredLoss(improve: Config["improve"]): LossRequest | undefined {
  return improve.loss === "bc" ? undefined : lossRequest(improve.loss, lossOptions(improve));
}

function lossOptions({ loss, value: { discount }, ...groups }: Config["improve"]): unknown {
  return loss === "bc" ? {} : { discount, ...groups[loss] };
}

/** The kept candidates of Grow step `grow` as training examples of the configured loss. */
export async function trainingExamples(
  run: RunContext,
  rows: readonly SelectedRow[],
  grow: number,
): Promise<Example[]> {
  const { improve } = run.config;
  const loss = improveLoss(improve.loss);
  const { prepare } = loss;
  if (!prepare) return rows.map(({ source, text }) => ({ source, target: text, weight: 1 }));

  const sequences = await tokenised(run, rows, loss.needs.includes("likelihood"));
  const values = loss.needs.includes("value") ? await valuesOf(run, sequences, grow) : [];
  const sourceRewards = new Map<number, number[]>();
  for (const { sourceId, reward } of rows)
    sourceRewards.set(sourceId, [...(sourceRewards.get(sourceId) ?? []), reward]);
  const options = lossOptions(improve);
  return rows
    .map(({ sourceId, source, text, reward }, i) => {
      const { tokens, logProbs } = sequences[i]!;
      const known = {
        reward,
        sourceRewards: sourceRewards.get(sourceId)!,
        logProbs,
        values: values[i] ?? [],
      };
      return { source, target: text, tokens, ...prepare(known, options) };
    })
    .filter(({ weight }) => weight > LEAST_WEIGHT);
}

interface Tokenised {
  source: string;
  tokens: number[];
  /** log p under BC, where it was asked for; else empty. */
  logProbs: number[];
}

async function tokenised(
  run: RunContext,
  rows: readonly SelectedRow[],
  likelihood: boolean,
): Promise<Tokenised[]> {
  const bc = await run.nativePolicy(BC);
  if (!likelihood)
    return rows.map(({ source, text }) => ({ source, tokens: bc.encoder.target(text), logProbs: [] }));
  const scored = await bc.logProbabilities(
    rows.map(({ source, text }) => ({ source, target: text })),
    run.signal,
  );
  return scored.map(({ tokens, logProbs }, i) => ({ source: rows[i]!.source, tokens, logProbs }));
}

async function valuesOf(
  run: RunContext,
  sequences: readonly Tokenised[],
  grow: number,
): Promise<Float32Array[]> {
  const value = await usableValue(run, grow);
  try {
    return await value.values(sequences, run.signal);
  } finally {
    await value.release();
  }
}
