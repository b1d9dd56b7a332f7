/** The learned reward: predicts how good a translation is, from the source and the candidate alone. */

import { extname } from "node:path";
import type { MarianConfig } from "../../model/config.js";
import { Encoder } from "../../policy/encoder.js";
import type { Remote, Thread } from "../../tensor/thread.js";
import { loadTextCodec } from "../../text/text-codec.js";
import { type Calibration, calibrate } from "../calibration.js";
import type { Reward, RewardInput } from "../reward.js";
import { loadFacts, type RewardFacts } from "./facts.js";
import { rawScores } from "./scorer.js";
import type { OpenArgs } from "./worker.js";

/** The module that the worker thread opens. */
export const WORKER = new URL(`./worker${extname(import.meta.url)}`, import.meta.url);

/**
 * Reference-free and deterministic: a source and a candidate score the same in any batch. The score is the share of the
 * starting policy's samples that are worse (calibration.ts).
 */
export class LearnedReward implements Reward {
  readonly name = "learned";
  readonly needsReference = false;
  readonly facts: RewardFacts;
  readonly #remote: Remote;
  readonly #encoder: Encoder;

  private constructor(remote: Remote, encoder: Encoder, facts: RewardFacts) {
    this.#remote = remote;
    this.#encoder = encoder;
    this.facts = facts;
  }

  /**
   * Loads what `trainLearnedReward` wrote.
   * @throws UserError naming the file where one is missing, damaged or does not fit the others.
   */
  static async load(thread: Thread, folder: string): Promise<LearnedReward> {
    const facts = await loadFacts(folder);
    const codec = await loadTextCodec(folder);
    const remote = await thread.open(WORKER, { folder } satisfies OpenArgs);
    const config = (await remote.call("config", undefined)) as MarianConfig;
    return new LearnedReward(remote, new Encoder(codec, config), facts);
  }

  /** One number in (0, 1) for each input, in order. */
  async score(batch: readonly RewardInput[]): Promise<number[]> {
    return calibrated(await rawScores(this.#remote, this.#encoder, batch), this.facts.calibration);
  }

  async close(): Promise<void> {
    await this.#remote.release();
  }
}

export function calibrated(scores: readonly number[], calibration: Calibration): number[] {
  return scores.map((score) => calibrate(calibration, score));
}
