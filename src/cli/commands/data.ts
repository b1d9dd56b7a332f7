/** `coppice data`: corpora from sources with a name and a licence, and cleaning as a step of its own. */
import { type Command, InvalidArgumentError, Option } from "commander";
import { addCommand, positiveNumber, wholeNumber } from "../command.js";
import type { CleanCommand, GetOptions } from "../data.js";
import type { OutputOptions } from "../terminal.js";

type GetCommandOptions = Omit<GetOptions, "name">;
type CleanCommandOptions = Omit<CleanCommand, "pairs">;

export function addData(program: Command): void {
  const data = program
    .command("data")
    .helpCommand(false)
    .summary("get a corpus, or clean one")
    .description(
      "Corpora from sources with a name and a licence, and cleaning as a step of its own (docs/data.md).",
    );
  addCommand(data, "list", {
    summary: "corpora that can be had",
    description:
      "Lists the recipes: languages, how many pairs to expect, the licence, and where the text comes from.",
    examples: [["coppice data list", "all of them"]],
  }).action(async (output: OutputOptions) => {
    const { listRecipes } = await import("../data.js");
    listRecipes(output);
  });
  addCommand(data, "get <name>", {
    summary: "build a corpus on this machine",
    description:
      "Builds the corpus NAME in a new folder: one TSV file a part, with SOURCE.md beside it that says where the text comes " +
      "from and under which licence. Some recipes fetch a pinned package; others read a copy that you have (--from).",
    examples: [
      ["coppice data get trans-de-en --out corpora/ding", "example sentences of a German-English dictionary"],
      [
        "coppice data get iwslt14 --from de-en --out corpora/iwslt14",
        "TED talks out of the folder that de-en.tgz unpacks to",
      ],
      [
        "coppice data get multi30k --from dataset/data/task1/raw --languages fr-en --out corpora/captions",
        "another pair of languages",
      ],
    ],
  })
    .requiredOption("--out <dir>", "the folder to write, which must not be there")
    .option(
      "--from <folder>",
      "your own copy of the source: a folder, or for Debian's packages one with the .deb files",
    )
    .option("--mirror <url>", "another Debian mirror than deb.debian.org")
    .option("--languages <source-target>", "which languages, such as zh-en; the recipe's first when left out")
    .action(async (name: string, options: GetCommandOptions) => {
      const { getCorpus } = await import("../data.js");
      await getCorpus({ ...options, name });
    });
  addCommand(data, "clean <pairs...>", {
    summary: "clean a corpus, with a report",
    description:
      "Reads files of pairs, mends what can be mended, drops what would teach nothing good, and writes DIR/pairs.tsv and " +
      "DIR/report.json: each rule with its count and examples. docs/data.md says what the rules are.",
    examples: [
      ["coppice data clean web.tsv --out clean --test newstest.tsv", "drop what stands in the test set too"],
      [
        "coppice data clean web.de,web.en --out clean --without letters,ratio",
        "two text files, without two rules",
      ],
      [
        "coppice data clean web.tsv --like good.tsv --out clean",
        "learn languages and lengths from another corpus",
      ],
    ],
  })
    .requiredOption("--out <dir>", "folder for the clean pairs and the report")
    .option("--test <file...>", "test sets that the corpus may not overlap with")
    .option(
      "--like <file...>",
      "a clean corpus to learn from what is usual, in place of the one to be cleaned",
    )
    .option("--without <rules>", "rules to leave out, with commas between", names)
    .option("--max-words <n>", "most words of a side (default: 150)", wholeNumber(1))
    .option(
      "--max-ratio <n>",
      "how many times longer than usual a side may be beside the other (default: 2.5)",
      ratio,
    )
    .option(
      "--source-column <name>",
      "where the source stands: key of JSONL, column of Parquet, number in TSV",
    )
    .option("--target-column <name>", "where its translation stands")
    .addOption(
      new Option("--format <name>", "what to write")
        .choices(["tsv", "tsv.gz", "jsonl", "jsonl.gz"])
        .default("tsv"),
    )
    .action(async (pairs: string[], options: CleanCommandOptions) => {
      const { cleanCommand } = await import("../data.js");
      await cleanCommand({ ...options, pairs });
    });
}

function names(text: string): string[] {
  return text.split(",").map((name) => name.trim());
}

function ratio(text: string): number {
  const value = positiveNumber(text);
  if (value <= 1) throw new InvalidArgumentError("It must be a number above 1.");
  return value;
}
