/** `coppice rate`: people rate what the policies wrote, blind, and what that comes to. */
import { type Command, InvalidArgumentError, Option } from "commander";
import { addCommand, portNumber, wholeNumber } from "../command.js";
import type { OutputOptions } from "../terminal.js";

interface RateCommandOptions extends OutputOptions {
  policies?: string[];
  items?: number;
  repeats?: number;
  checks?: number;
  round?: string;
  host: string;
  port: number;
  results?: boolean;
  without?: string[];
  export?: string;
  import?: string;
  calibrate?: string;
}

const DEFAULT_PORT = 4246;

export function addRate(program: Command): void {
  addCommand(program, "rate <dir>", {
    summary: "rate what policies wrote, blind, on a page",
    description:
      "Opens a page on which people rate what the policies of a run wrote for its test sources: side by side, in random " +
      "order, without names, 0 (nonsense) to 6 (perfect). Ratings are kept in DIR/ratings as they are given; the same " +
      "command goes on where everybody was. With --results it prints what they come to. docs/ratings.md says what the " +
      "figures mean.",
    examples: [
      ["coppice rate runs/demo", "BC beside the last policy; or go on with the round that is open"],
      ["coppice rate runs/demo --policies BC,G1I4,G2I3 --items 100", "begin a round of three policies"],
      [
        "coppice rate runs/demo --results",
        "differences to BC, agreement of raters, the reward beside people",
      ],
      ["coppice rate runs/demo --results --without anna --json", "the same for machines, without one rater"],
      [
        "coppice rate runs/demo --export ratings.tsv",
        "one line a rating; .jsonl and .da.tsv are other layouts",
      ],
      [
        "coppice rate runs/demo --import ratings.tsv",
        "add ratings from another machine, or of a published corpus",
      ],
      [
        "coppice rate runs/demo --calibrate people.json",
        "put the reward on people's scale: reward: { calibration: people.json }",
      ],
    ],
  })
    .option("--policies <names>", "policies to rate, with commas between; BC is G0I0", names)
    .option("--items <n>", "sources to rate (default: 100, or as many as were evaluated)", wholeNumber(1))
    .option("--repeats <n>", "items shown twice (default: a tenth of the items)", wholeNumber(0))
    .option("--checks <n>", "items with damaged translations (default: a tenth of the items)", wholeNumber(0))
    .option("--round <id>", "a round that was begun before; the last one when left out")
    .option(
      "--host <address>",
      "address to listen on; with another than this machine's own a token is asked for",
      "127.0.0.1",
    )
    .option("--port <n>", "port to listen on; 0 for any that is free", portNumber, DEFAULT_PORT)
    .addOption(
      new Option("--results", "print what the ratings come to").conflicts(["export", "import", "calibrate"]),
    )
    .option("--without <raters>", "leave these raters out of the results, with commas between", names)
    .addOption(
      new Option("--export <file>", "write the ratings as .tsv, .jsonl or .da.tsv").conflicts("import"),
    )
    .option("--import <file>", "add ratings from a file (.tsv, .jsonl; .gz or not)")
    .addOption(
      new Option(
        "--calibrate <file>",
        "write the map from the reward to what people gave, for reward.calibration",
      ).conflicts(["export", "import"]),
    )
    .action(async (dir: string, options: RateCommandOptions) => {
      const { rateCommand } = await import("../ratings.js");
      await rateCommand({ ...options, dir });
    });
}

function names(text: string): string[] {
  const found = text.split(",").map((name) => name.trim());
  if (found.includes("")) throw new InvalidArgumentError("Give names with commas between, as in BC,G1I2.");
  return found;
}
