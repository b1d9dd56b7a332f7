/** `coppice inspect`: the stored candidates of a Grow step, with their rewards, or any query over them. */
import { type Command, Option } from "commander";
import { addCommand, wholeNumber } from "../command.js";
import { type OutputOptions, openTerminal } from "../terminal.js";

interface InspectCommandOptions extends OutputOptions {
  grow?: number;
  source?: number;
  sql?: string;
  limit: number;
}

export function addInspect(program: Command): void {
  addCommand(program, "inspect <dir>", {
    summary: "look at candidates and their rewards",
    description:
      "Shows what a Grow step stored: its figures and best candidates, all candidates of one source, or the rows of a " +
      "query over the table `candidates` (grow, source_id, sample_id, source, text, tokens, log_prob, finished, reward, origin).",
    examples: [
      ["coppice inspect runs/demo", "figures of the last Grow step and its best candidates"],
      ["coppice inspect runs/demo --source 12", "all candidates of source 12, best first"],
      [
        'coppice inspect runs/demo --sql "SELECT origin, avg(reward) FROM candidates GROUP BY origin"',
        "any query",
      ],
    ],
  })
    .option("--grow <n>", "Grow step to look at; the last one when left out", wholeNumber(1))
    .option("--source <id>", "show all candidates of this source", wholeNumber(0))
    .addOption(new Option("--sql <query>", "print the rows of one SELECT").conflicts("source"))
    .option("--limit <n>", "best candidates to show", wholeNumber(1), 10)
    .action(async (dir: string, { grow, source, sql, limit, ...output }: InspectCommandOptions) => {
      const { inspect, inspectText } = await import("../inspect.js");
      const found = await inspect({
        dir,
        limit,
        ...(grow !== undefined && { grow }),
        ...(source !== undefined && { source }),
        ...(sql !== undefined && { sql }),
      });
      openTerminal(output).result(found, (colour) => inspectText(found, colour));
    });
}
