/** Sequences of token ids as two arrays, which cross to the worker thread without a copy of each. */

export interface PackedSequences {
  /** All ids, end to end. */
  readonly ids: Int32Array;
  readonly lengths: Int32Array;
}

export function packSequences(sequences: readonly (readonly number[])[]): PackedSequences {
  const lengths = Int32Array.from(sequences, ({ length }) => length);
  const ids = new Int32Array(lengths.reduce((sum, length) => sum + length, 0));
  let at = 0;
  for (const sequence of sequences) {
    ids.set(sequence, at);
    at += sequence.length;
  }
  return { ids, lengths };
}

export function unpackSequences({ ids, lengths }: PackedSequences): Int32Array[] {
  let at = 0;
  return Array.from(lengths, (length) => {
    const start = at;
    at += length;
    return ids.subarray(start, at);
  });
}
