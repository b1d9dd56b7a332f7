/** What a reward is: a number in [0, 1] for a candidate, higher is better, the same at every call. */

export interface RewardInput {
  source: string;
  candidate: string;
  /** The human translation, where the source has one; only reference-based rewards read it. */
  reference?: string;
}

/** Scores candidates. `score` returns one number in [0, 1] for each input, in order. */
export interface Reward {
  readonly name: string;
  readonly needsReference: boolean;
  score(batch: readonly RewardInput[]): Promise<number[]>;
  /** Releases what the reward holds open (a model, a connection). */
  close?(): Promise<void>;
}
