/** All commands, with what they have in common: how errors read, suggestions, the version. */
import { Command } from "commander";
import { version } from "../version.js";
import { addBleu } from "./commands/bleu.js";
import { addChrf } from "./commands/chrf.js";
import { addCompare } from "./commands/compare.js";
import { addData } from "./commands/data.js";
import { addDemo } from "./commands/demo.js";
import { addDoctor } from "./commands/doctor.js";
import { addEvaluate } from "./commands/evaluate.js";
import { addExport } from "./commands/export.js";
import { addGrow } from "./commands/grow.js";
import { addImport } from "./commands/import.js";
import { addImprove } from "./commands/improve.js";
import { addInit } from "./commands/init.js";
import { addInspect } from "./commands/inspect.js";
import { addRate } from "./commands/rate.js";
import { addReward } from "./commands/reward.js";
import { addRun } from "./commands/run.js";
import { addScore } from "./commands/score.js";
import { addServe } from "./commands/serve.js";
import { addStatus } from "./commands/status.js";
import { addTrainReward } from "./commands/train-reward.js";
import { addTranslate } from "./commands/translate.js";
import { addUi } from "./commands/ui.js";

/** Throws a CommanderError where commander itself would end the process. */
export function createProgram(): Command {
  const program = new Command("coppice")
    .description(
      "Reinforced Self-Training (ReST): sample from a policy, score the samples, train on the best, repeat.\n" +
        "Start with `coppice demo`, or with `coppice init DIR --pairs FILE` for text of your own.",
    )
    .version(version, "-V, --version", "print the version")
    .helpOption("-h, --help", "print help")
    .helpCommand(false)
    .exitOverride()
    .configureOutput({ outputError: (message, write) => write(`${oneSentence(message)}\n`) });
  program.commandsGroup("A run:");
  for (const add of [
    addDemo,
    addInit,
    addRun,
    addDoctor,
    addStatus,
    addUi,
    addEvaluate,
    addTranslate,
    addInspect,
  ])
    add(program);
  program.commandsGroup("Programs:");
  addServe(program);
  program.commandsGroup("People:");
  addRate(program);
  program.commandsGroup("Runs beside each other:");
  addCompare(program);
  program.commandsGroup("Text:");
  addData(program);
  program.commandsGroup("Models of other programs:");
  for (const add of [addImport, addExport]) add(program);
  program.commandsGroup("Single steps of a run:");
  for (const add of [addTrainReward, addGrow, addScore, addImprove, addReward]) add(program);
  program.commandsGroup("Metrics:");
  for (const add of [addBleu, addChrf]) add(program);
  return program;
}

/** Commander's message on one line, as all others are. */
function oneSentence(message: string): string {
  const [first, ...more] = message
    .replace(/^error: /, "")
    .trim()
    .split("\n")
    .map((line) => line.replace(/^\((.*)\)$/, "$1"));
  return [`${first.replace(/\.$/, "")}.`, ...more].join(" ");
}
