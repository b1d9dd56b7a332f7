/** `coppice demo`: the whole method on text that anyone has, in minutes. */
import { type Command, Option } from "commander";
import { type DemoLanguages, demoLanguages } from "../../data/recipes/demo-pairs.js";
import { addCommand } from "../command.js";
import type { OutputOptions } from "../terminal.js";

interface DemoCommandOptions extends OutputOptions {
  toy: boolean;
  languages: DemoLanguages;
}

export function addDemo(program: Command): void {
  addCommand(program, "demo [dir]", {
    summary: "see it work: German to English in minutes",
    description:
      "Fetches German and English messages out of npm packages, trains a small translator on them, improves it by ReST " +
      "and writes a report. DIR is runs/demo when left out. Run it again after a stop: it goes on where it was.",
    examples: [
      ["coppice demo", "train, grow, improve and report in runs/demo"],
      ["coppice demo --languages zh-en", "the same from Chinese, in runs/demo-zh-en"],
      [
        "coppice demo runs/toy --toy",
        "the toy: reverse a list of numbers, in seconds, with nothing to fetch",
      ],
    ],
  })
    .option("--toy", "reverse lists of numbers in place of translating", false)
    .addOption(
      new Option("--languages <source-target>", "what to translate")
        .choices(demoLanguages)
        .default("de-en")
        .conflicts("toy"),
    )
    .action(async (dir: string | undefined, { toy, languages, ...output }: DemoCommandOptions) => {
      const folder =
        dir ?? (toy ? "runs/toy" : languages === "de-en" ? "runs/demo" : `runs/demo-${languages}`);
      const [{ demoArguments, startDemo }, { onFolder }, { run }] = await Promise.all([
        import("../demo.js"),
        import("../folder-work.js"),
        import("../run.js"),
      ]);
      const options = { ...output, dir: folder };
      const command = `coppice demo ${folder}${demoArguments({ toy, languages })}`;
      await onFolder(options, command, ({ reporter, signal }) =>
        startDemo({ dir: folder, toy, languages, note: (sentence) => reporter.note(sentence), signal }),
      );
      await run(options, command);
    });
}
