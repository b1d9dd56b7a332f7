/** The two text files that a metric compares. */
import { UserError } from "../errors.js";
import { plural } from "../report/format.js";

/** One reference and one hypothesis a line. Throws a UserError where the files differ in length. */
export async function readTexts(
  reference: string,
  hypothesis: string,
): Promise<{ references: string[]; hypotheses: string[] }> {
  const { readLines } = await import("../data/lines.js");
  const references = await readLines(reference);
  // A system may translate a sentence by nothing; a reference that is empty is a mistake.
  const hypotheses = await readLines(hypothesis, { allowEmpty: true });
  if (references.length !== hypotheses.length) {
    throw new UserError(
      `it has ${plural(hypotheses.length, "line")} but ${reference} has ${references.length}. Give one hypothesis a line for each reference.`,
      { file: hypothesis },
    );
  }
  return { references, hypotheses };
}
