/** How BLEU and chrF take their references, and the checks on them. */
import { UserError } from "../errors.js";

/** The reference of a sentence, or its several references. */
export type References = string | readonly string[];

/** The sacreBLEU whose figures and signature lines the tests compare with. */
export const SACREBLEU_VERSION = "2.6.0";

export function referenceList(references: References): readonly string[] {
  const list = typeof references === "string" ? [references] : references;
  if (list.length === 0) throw new UserError("A sentence has no reference. Give it at least one.");
  return list;
}

/** Throws a UserError unless there is one entry of `references` for each hypothesis, and at least one. */
export function checkCorpus(hypotheses: readonly string[], references: readonly References[]): void {
  if (hypotheses.length !== references.length)
    throw new UserError(
      `There are ${hypotheses.length} translations but ${references.length} references. Give one reference line for each translation line, in the same order.`,
    );
  if (hypotheses.length === 0)
    throw new UserError(
      "There are no translations to compare with references. Give at least one line of each.",
    );
}

/** sacreBLEU's `nrefs`: how many references each sentence has, `var` when that differs. */
export function referenceCount(references: readonly References[]): string {
  const counts = new Set(references.map((each) => referenceList(each).length));
  return counts.size === 1 ? String([...counts][0]) : "var";
}

/** The sum of rows of statistics, column by column; how sentences become a corpus. */
export function sumStatistics(rows: readonly ArrayLike<number>[]): number[] {
  const sum = new Array<number>(rows[0]?.length ?? 0).fill(0);
  for (const row of rows) for (let i = 0; i < sum.length; i++) sum[i] += row[i];
  return sum;
}
