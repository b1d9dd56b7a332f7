/** Which two columns of a file are the pair. */

/** Keys of JSONL, columns of Parquet, numbers from 1 for TSV. */
export interface Columns {
  source: string;
  target: string;
}

export const defaultColumns: Columns = { source: "source", target: "target" };

/** Columns of which one or both may be left to the format: beside a number, TSV's, else the names. Undefined for two nulls. */
export function columnsFrom(source: string | null, target: string | null): Columns | undefined {
  if (source === null && target === null) return undefined;
  const numbered = /^\d+$/.test(source ?? target ?? "");
  return {
    source: source ?? (numbered ? "1" : defaultColumns.source),
    target: target ?? (numbered ? "2" : defaultColumns.target),
  };
}
