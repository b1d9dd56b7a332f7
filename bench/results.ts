/**
 * A section of docs/results.md from what `coppice compare` left.
 *
 *     npm run results -- bench/multi30k.yaml runs/multi30k-losses "multi30k: every loss and baseline"
 *
 * Every number comes from the study's own files. It may be run while the study goes on: what is finished is in the tables.
 */

import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { duration } from "../src/report/format.js";
import { Manifest } from "../src/store/manifest.js";
import type { RunSummary } from "../src/store/summary.js";
import { writeSection } from "./sections.js";

const [study, out, title] = process.argv.slice(2);
if (study === undefined || out === undefined || title === undefined) {
  console.error("npm run results -- STUDY.yaml OUT TITLE");
  process.exit(2);
}
const runs = readdirSync(join(out, "runs"))
  .flatMap((seed) => readdirSync(join(out, "runs", seed)).map((arm) => join(out, "runs", seed, arm)))
  .filter((dir) => existsSync(join(dir, "manifest.json")));
const finished = runs.flatMap((dir) => {
  const file = join(dir, "summary.json");
  // Written whole by the run that it describes.
  return existsSync(file) ? [JSON.parse(readFileSync(file, "utf8")) as RunSummary] : [];
});
if (finished.length === 0) throw new Error(`${out} has no finished run yet`);

let seconds = 0;
for (const dir of runs)
  for (const { takenFrom, time } of (await Manifest.read(dir))?.steps ?? [])
    if (takenFrom === undefined) seconds += time.seconds;
const { machine } = finished[0]!;
const last = finished
  .map(({ finishedAt }) => finishedAt)
  .sort()
  .at(-1)!;
const text = (name: string) => readFileSync(join(out, name), "utf8").replace(/^(#+) /gm, "##$1 ");

writeSection(
  "docs/results.md",
  title,
  `\`npx coppice compare ${study} --out ${out}\`, ${finished.length} runs finished by ${last.slice(0, 10)} on ${machine.cpu},
${machine.cores} cores, ${machine.memoryGb} GB, ${machine.os}, Node ${machine.node}; its steps took ${duration(seconds)} in all. Thresholds, learning
rates and stopping use validation only. The study's file stands at the end; this section is \`npm run results -- ${study} ${out} "${title}"\`.

${text("verdict.md").replace(/^### Did it help\?\n/m, "")}
${text("table1.md")}

### ${study}

\`\`\`yaml
${readFileSync(study, "utf8").trim()}
\`\`\``,
);
