/** What a reward is taught from people's ratings with. */

/** A translation, and what a file knows of it beside the texts. */
export interface RatedInput {
  source: string;
  candidate: string;
  reference?: string;
  /** Numbers by their name: the system's log-probability and others that the file brings. */
  given?: Readonly<Record<string, number>>;
}

/** A translation and what people gave it. */
export interface RatedExample extends RatedInput {
  /** Any scale, higher is better. */
  score: number;
  /** The same on [0, 1], where the scale has ends. */
  unit?: number;
  /** Who wrote it, and what of: for comparisons between systems, and within a source. */
  system: string;
  item: string;
}

/** Two translations of one source, of which people preferred one. */
export interface PreferredExample {
  better: RatedInput;
  worse: RatedInput;
}

/** Beside the two texts, what a model may look at. */
export interface Uses {
  /** Names of given numbers. Their model scores only texts that come with them. */
  given: string[];
  /** Compare with the human translation. */
  reference: boolean;
}
