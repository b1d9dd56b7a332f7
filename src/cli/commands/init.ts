/** `coppice init`: looks at the user's pairs and writes a commented coppice.yaml for them. */
import { type Command, Option } from "commander";
import { UserError } from "../../errors.js";
import { addCommand } from "../command.js";
import { type OutputOptions, openTerminal } from "../terminal.js";

interface InitCommandOptions extends OutputOptions {
  pairs?: string[];
  preset?: string;
  sourceColumn?: string;
  targetColumn?: string;
  keys?: boolean;
}

export function addInit(program: Command): void {
  const command = addCommand(program, "init [dir]", {
    summary: "start a run folder for your own text",
    description:
      "Reads your pairs, says what is in them, and writes DIR/coppice.yaml with every setting explained. " +
      "Copies nothing: the configuration names the files where they are.",
    examples: [
      ["coppice init runs/mine --pairs pairs.tsv", "source<TAB>target lines"],
      ["coppice init runs/mine --pairs train.de,train.en", "two text files, line by line"],
      [
        "coppice init runs/mine --pairs a.jsonl b.parquet --preset paper-iwslt14",
        "several files, the paper's values",
      ],
      [
        "coppice init runs/mine --pairs a.tsv --source-column 3 --target-column 5",
        "other columns of a table",
      ],
      ["coppice init --keys > configuration.md", "every key, its default and its bounds"],
    ],
  })
    .option("--pairs <file...>", "files of pairs: TSV, JSONL (also gzipped), Parquet, or two texts as a,b")
    .option(
      "--source-column <name>",
      "where the source stands: key of JSONL, column of Parquet, number in TSV",
    )
    .option("--target-column <name>", "where its human translation stands")
    .option("--preset <name>", "values to start from, such as demo or paper-iwslt14; --keys lists them all")
    .addOption(
      new Option("--keys", "print every configuration key as a Markdown page and stop").conflicts("json"),
    );
  command.action(async (dir: string | undefined, given: InitCommandOptions) => {
    const { pairs, preset, sourceColumn, targetColumn, keys, ...output } = given;
    const terminal = openTerminal(output);
    if (keys) {
      const { configurationPage } = await import("../../rest/config-pages.js");
      process.stdout.write(configurationPage());
      return;
    }
    if (dir === undefined)
      throw new UserError("no folder is given. Write, for example, coppice init runs/mine --pairs pairs.tsv");
    const [first, ...more] = pairs ?? [];
    if (first === undefined) {
      throw new UserError(
        `no pairs are given. Add --pairs FILE, for example coppice init ${dir} --pairs pairs.tsv`,
      );
    }
    const [{ startRunFolder }, { plural }] = await Promise.all([
      import("../init.js"),
      import("../../report/format.js"),
    ]);
    const started = await startRunFolder({
      dir,
      pairs: [first, ...more],
      ...(preset !== undefined && { preset }),
      ...(sourceColumn !== undefined && { sourceColumn }),
      ...(targetColumn !== undefined && { targetColumn }),
    });
    terminal.result(started, () =>
      [
        `${plural(started.pairs, "pair")}, ${plural(started.duplicatePairs, "duplicate")} among them; ` +
          `median length ${plural(started.medianSourceCharacters, "character")} in the source, ${started.medianTargetCharacters} in the target.`,
        `Wrote ${started.config}. Look through it, then run: coppice run ${dir}`,
      ].join("\n"),
    );
  });
}
