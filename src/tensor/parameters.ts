/** All weights of a network in one flat buffer, with a named view of each. */

import { floats, type Tensor } from "./program.js";

export interface ParameterSpec {
  readonly name: string;
  readonly shape: readonly number[];
  /** Whether weight decay acts on it; biases and normalisations are spared by custom. */
  readonly decay: boolean;
}

/** Named weights over one buffer: what the optimizer walks and the programs read is the same memory. */
export class Parameters {
  readonly specs: readonly ParameterSpec[];
  readonly data: Float32Array;
  readonly #offsets = new Map<string, number>();
  readonly #specs = new Map<string, ParameterSpec>();

  constructor(specs: readonly ParameterSpec[], data?: Float32Array) {
    this.specs = specs;
    let offset = 0;
    for (const spec of specs) {
      if (this.#specs.has(spec.name)) throw new Error(`two parameters are named ${spec.name}`);
      this.#offsets.set(spec.name, offset);
      this.#specs.set(spec.name, spec);
      offset += sizeOf(spec);
    }
    if (data && data.length !== offset) throw new Error(`${offset} weights expected, not ${data.length}`);
    this.data = data ?? new Float32Array(offset);
  }

  has(name: string): boolean {
    return this.#specs.has(name);
  }

  spec(name: string): ParameterSpec {
    const spec = this.#specs.get(name);
    if (!spec) throw new Error(`no parameter is named ${name}`);
    return spec;
  }

  /** The weights called `name`, inside the flat buffer. */
  view(name: string): Float32Array {
    const start = this.#offsets.get(name)!;
    return this.data.subarray(start, start + sizeOf(this.spec(name)));
  }

  /** Feeds for programs: one tensor a parameter, over the flat buffer. */
  feeds(): Record<string, Tensor> {
    return Object.fromEntries(
      this.specs.map((spec) => [spec.name, floats(this.view(spec.name), spec.shape)] as const),
    );
  }

  /** Contiguous ranges of the flat buffer for the optimizer. */
  ranges(): { start: number; end: number; decay: boolean }[] {
    return this.specs.map((spec) => {
      const start = this.#offsets.get(spec.name)!;
      return { start, end: start + sizeOf(spec), decay: spec.decay };
    });
  }

  /** A buffer of the same layout: gradients, moving averages. */
  like(data?: Float32Array): Parameters {
    return new Parameters(this.specs, data);
  }
}

function sizeOf(spec: ParameterSpec): number {
  return spec.shape.reduce((a, b) => a * b, 1);
}
