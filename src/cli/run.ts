/** What `run`, `demo` and the single-step commands do and say at the end. */
import { relative } from "node:path";
import { duration, plural } from "../report/format.js";
import { consoleTables } from "../report/tables.js";
import { verdict } from "../report/verdict.js";
import { runAll } from "../rest/run.js";
import { growShard, parseShard } from "../rest/shard.js";
import { runSingle, type SingleCommand } from "../rest/single.js";
import { runFolder } from "../store/run-folder.js";
import type { RunSummary } from "../store/summary.js";
import { summaryFile } from "../store/summary-file.js";
import type { FolderOptions } from "./command.js";
import { onFolder } from "./folder-work.js";

/** Runs the folder to its end and prints the tables, or with --json the summary. */
export async function run(options: FolderOptions, command = `coppice run ${options.dir}`): Promise<void> {
  await onFolder(options, command, async (work, terminal) => {
    const summary = await runAll(work);
    terminal.result(summaryFile(summary), (colour) => outcome(summary, options.dir, colour));
  });
}

/** Tables, what they mean, and where the report lies. */
export function outcome(summary: RunSummary, dir: string, colour: boolean): string {
  const { headline, findings } = verdict(summary);
  return [
    consoleTables(summary, { colour, ...(process.stdout.isTTY ? { width: process.stdout.columns } : {}) }),
    [headline, ...findings.map(({ kind, text }) => `- ${kind === "warning" ? "Warning: " : ""}${text}`)].join(
      "\n",
    ),
    `The report is ${reportPath(dir)}; the figures are in summary.json beside it.`,
  ].join("\n\n");
}

/** Does one step and says which is due next. */
export async function single(command: SingleCommand, options: FolderOptions): Promise<void> {
  await onFolder(options, `coppice ${command} ${options.dir}`, async (work, terminal) => {
    const result = await runSingle(command, work);
    const done = result.done.map(({ name, time, result }) => ({ name, seconds: time.seconds, result }));
    terminal.result({ ...result, done }, () =>
      [
        `Done: ${done.map(({ name, seconds }) => `${name} (${duration(seconds)})`).join(", ")}.`,
        result.next
          ? `Next: ${result.next.step}, by coppice ${result.next.command} ${options.dir}`
          : `The run is finished; its report is ${reportPath(options.dir)}`,
      ].join("\n"),
    );
  });
}

/** Samples one share of a Grow step and says what is left of it. */
export async function growOneShard(text: string, options: FolderOptions): Promise<void> {
  const shard = parseShard(text);
  await onFolder(options, `coppice grow ${options.dir} --shard ${text}`, async (work, terminal) => {
    const done = await growShard(work, shard);
    terminal.result({ shard, ...done }, () => {
      const { grow, policy, samples, parts, allParts, missing } = done;
      const written = `Share ${text} of Grow ${grow}: ${plural(samples, "candidate")} of ${policy} in ${plural(parts, "file")}.`;
      return missing > 0
        ? `${written} Other shares have ${plural(missing, "file")} of ${allParts} still to write; then: coppice grow ${options.dir}`
        : `${written} All ${allParts} are there. Put them together with: coppice grow ${options.dir}`;
    });
  });
}

/** From where the user stands, unless that is far away. */
function reportPath(dir: string): string {
  const { report } = runFolder(dir);
  const way = relative(process.cwd(), report);
  return way.startsWith("..") ? report : way;
}
