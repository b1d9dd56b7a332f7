/** Any reward on the scale of people's ratings: passed through a map that was fitted to some of them. */

import { readFile } from "node:fs/promises";
import { UserError } from "../errors.js";
import { type Calibration, calibrate, readCalibration } from "./calibration.js";
import type { Reward, RewardInput } from "./reward.js";

/** The same reward through a rising map, so that candidates keep their order. */
export class CalibratedReward implements Reward {
  readonly name: string;
  readonly needsReference: boolean;
  /** The reward without the map. */
  readonly raw: Reward;
  readonly #calibration: Calibration;

  constructor(raw: Reward, calibration: Calibration) {
    this.name = `${raw.name}, calibrated`;
    this.needsReference = raw.needsReference;
    this.raw = raw;
    this.#calibration = calibration;
  }

  async score(batch: readonly RewardInput[]): Promise<number[]> {
    return (await this.raw.score(batch)).map((score) => calibrate(this.#calibration, score));
  }

  async close(): Promise<void> {
    await this.raw.close?.();
  }
}

/** Reads what `coppice rate DIR --calibrate FILE` wrote. Throws a UserError that names the file where it is something else. */
export async function loadCalibration(file: string): Promise<Calibration> {
  let text: string;
  try {
    text = await readFile(file, "utf8");
  } catch (cause) {
    throw new UserError(
      "this calibration cannot be read; write one with coppice rate DIR --calibrate FILE",
      { file },
      { cause },
    );
  }
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (cause) {
    throw new UserError(
      "this is not JSON; write a calibration with coppice rate DIR --calibrate FILE",
      { file },
      { cause },
    );
  }
  return readCalibration(value, file);
}
