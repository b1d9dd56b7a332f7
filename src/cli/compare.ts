/** What `coppice compare` does and says at the end. */

import { join } from "node:path";
import { toText } from "../report/tables.js";
import type { StudyOutcome } from "../study/outputs.js";
import { PAGE } from "../study/outputs.js";
import { figureWords, headline } from "../study/page.js";
import { runStudy } from "../study/run.js";
import { table1 } from "../study/table.js";
import { onFolder } from "./folder-work.js";
import type { OutputOptions } from "./terminal.js";

export interface CompareOptions extends OutputOptions {
  file: string;
  out: string;
}

/** Runs the study and prints its table and verdicts, or with --json all of them. */
export async function compare({ file, out, ...output }: CompareOptions): Promise<void> {
  const command = `coppice compare ${file} --out ${out}`;
  await onFolder({ ...output, dir: out }, command, async ({ reporter, signal }, terminal) => {
    const outcome = await runStudy({ file, dir: out, reporter, signal });
    terminal.result(outcome, (colour) => outcomeText(outcome, out, colour));
  });
}

function outcomeText(
  { rows, findings, figures, missing }: StudyOutcome,
  out: string,
  colour: boolean,
): string {
  const verdicts = findings.map(
    (finding) => `${finding.number}. ${finding.claim} ${finding.verdict}: ${figureWords(finding)}.`,
  );
  return [
    toText(table1(rows), { colour, ...(process.stdout.isTTY ? { width: process.stdout.columns } : {}) }),
    [headline(findings), ...verdicts].join("\n"),
    [
      `The page is ${join(out, PAGE)}; table1 and verdict stand beside it (.md, .json), ${figures.length} figures in figures/.`,
      ...missing.map(({ name, why }) => `Left out: ${name}, as ${why}.`),
    ].join("\n"),
  ].join("\n\n");
}
