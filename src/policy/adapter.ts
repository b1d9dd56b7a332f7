/** The low-rank adapter that a policy is trained by: A and B, and the model that stays as it is. */

import { relative, sep } from "node:path";
import { saveAdapterFolder } from "../model/adapter-folder.js";
import type { MarianConfig } from "../model/config.js";
import { loadModelFolder, type StoredAdapter } from "../model/folder.js";
import { initialiseLora, type Lora, mergeLora } from "../model/lora.js";
import type { Parameters } from "../tensor/parameters.js";
import type { StillWeights } from "./loss-task.js";

/** A low-rank adapter that is trained. */
export interface TrainedLora extends Lora {
  /** Share of an adapted layer's inputs that the adapter does not see, others at each step; 0: none. */
  readonly dropout: number;
}

export class Adapter {
  readonly lora: TrainedLora;
  /** A and B. */
  readonly weights: Parameters;
  readonly base: Parameters;
  readonly #config: MarianConfig;
  readonly #baseFolder: string;

  private constructor(
    config: MarianConfig,
    lora: TrainedLora,
    weights: Parameters,
    base: Parameters,
    baseFolder: string,
  ) {
    this.#config = config;
    this.lora = lora;
    this.weights = weights;
    this.base = base;
    this.#baseFolder = baseFolder;
  }

  /** One that changes nothing yet, to the model of a folder; `base` are that model's weights, and are kept. */
  static fresh(
    config: MarianConfig,
    lora: TrainedLora,
    base: Parameters,
    baseFolder: string,
    seed: number,
  ): Adapter {
    return new Adapter(config, lora, initialiseLora(config, lora, seed), base, baseFolder);
  }

  /** One that was trained before, on its own base. */
  static async continued(config: MarianConfig, lora: TrainedLora, stored: StoredAdapter): Promise<Adapter> {
    if (!sameShape(lora, stored.lora))
      throw new Error("an adapter is trained further with the rank, alpha and targets that it has");
    const { parameters } = await loadModelFolder(stored.baseFolder);
    return new Adapter(config, lora, stored.weights, parameters, stored.baseFolder);
  }

  /** Takes over other A and B, and puts the policy that they make into `parameters`. */
  take(weights: Float32Array, parameters: Parameters): void {
    this.weights.data.set(weights);
    mergeLora(this.#config, this.lora, this.base, this.weights, parameters);
  }

  /** A and B of their own beside the base: a copy of the policy of the size of the adapter. */
  still(): StillWeights {
    const copy = this.weights.like();
    return { data: copy.data, feeds: () => ({ ...this.base.feeds(), ...copy.feeds() }) };
  }

  /** Writes A and B, and where the base lies as seen from `folder`. */
  async save(folder: string): Promise<void> {
    await saveAdapterFolder(folder, {
      lora: this.lora,
      dropout: this.lora.dropout,
      weights: this.weights,
      base: relative(folder, this.#baseFolder).split(sep).join("/"),
      baseWeights: this.base,
    });
  }
}

function sameShape(a: Lora, b: Lora): boolean {
  const targets = ({ targets }: Lora) => [...targets].sort().join();
  return a.rank === b.rank && a.alpha === b.alpha && targets(a) === targets(b);
}
