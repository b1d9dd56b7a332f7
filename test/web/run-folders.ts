/** Run folders for the dashboard to show. */

import { mkdtempSync, realpathSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { runAll } from "../../src/rest/run.js";
import { type Candidate, CandidateWriter, HUMAN_SAMPLE_ID } from "../../src/store/candidates.js";
import { tinyRun } from "../rest/tiny-run.js";

/** A new folder; its path has no links in it. */
export function newFolder(): string {
  return mkdtempSync(join(realpathSync(tmpdir()), "coppice-web-"));
}

/** The tiny run, done to its end. */
export async function finishedRun(): Promise<string> {
  const dir = tinyRun({}, 300, realpathSync(tmpdir()));
  await runAll({ dir });
  return dir;
}

/** Writes candidates of three samples for each source, `texts` among them, as a Grow step of the run `runId`. */
export async function writeCandidates(
  folder: string,
  runId: string,
  texts: readonly string[],
): Promise<void> {
  const writer = await CandidateWriter.open(join(folder, "candidates.parquet"), { runId });
  const rows = texts.flatMap((text, sourceId) =>
    [HUMAN_SAMPLE_ID, 0, 1, 2].map((sampleId): Candidate => {
      const human = sampleId === HUMAN_SAMPLE_ID;
      const tokens = human ? [] : [5, 2];
      return {
        grow: 1,
        sourceId,
        sampleId,
        source: text,
        text: `${text} ${sampleId}`,
        tokens,
        logProbs: tokens.map(() => -1),
        sampleLogProbs: tokens.map(() => -1),
        finished: true,
        reward: (sampleId + 2) / 4,
        origin: human ? "human" : "policy",
      };
    }),
  );
  writer.append(rows);
  await writer.finish();
}
