/** Texts as the token ids that a model of limited positions can take. */

import type { MarianConfig } from "../model/config.js";
import type { TextCodec } from "../text/text-codec.js";

/** Cuts what is longer than the model's positions; end-of-sentence stays. */
export class Encoder {
  readonly #codec: TextCodec;
  readonly #most: number;

  constructor(codec: TextCodec, config: MarianConfig) {
    this.#codec = codec;
    this.#most = config.maxPositions;
  }

  source(text: string): number[] {
    return this.#cut(this.#codec.source.encode(text));
  }

  target(text: string): number[] {
    return this.#cut(this.#codec.target.encode(text));
  }

  #cut(tokens: number[]): number[] {
    return tokens.length <= this.#most ? tokens : [...tokens.slice(0, this.#most - 1), tokens.at(-1)!];
  }
}
