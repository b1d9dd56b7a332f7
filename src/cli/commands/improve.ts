/** `coppice improve`: the next Improve step alone, or what it would keep. */
import type { Command } from "commander";
import { UserError } from "../../errors.js";
import { addCommand } from "../command.js";
import type { OutputOptions } from "../terminal.js";

interface ImproveOptions extends OutputOptions {
  plan?: true;
  thresholds?: string;
}

export function addImprove(program: Command): void {
  addCommand(program, "improve <dir>", {
    summary: "train on the candidates above the next threshold",
    description:
      "Does the next Improve step of a run: keeps the candidates above its threshold and fine-tunes the latest policy on " +
      "them. An error names the step that is due where it is another one. --plan changes nothing: it says what each " +
      "threshold would keep of the newest scored Grow step.",
    examples: [
      ["coppice improve runs/mine", "once for each threshold in coppice.yaml"],
      ["coppice improve runs/mine --plan", "what each of them would keep"],
      [
        "coppice improve runs/mine --plan --thresholds quantile:0.8,0.95",
        "the same for others, without editing the file",
      ],
    ],
  })
    .option("--plan", "say what each threshold would keep, and train nothing")
    .option("--thresholds <kind:values>", "with --plan: thresholds to try in place of the configuration's")
    .action(async (dir: string, { plan, thresholds, ...output }: ImproveOptions) => {
      if (thresholds && !plan)
        throw new UserError("--thresholds tries thresholds without training: give --plan with it.");
      if (plan) {
        const { showPlan } = await import("../plan.js");
        await showPlan({ ...output, dir, ...(thresholds === undefined ? {} : { thresholds }) });
        return;
      }
      const { single } = await import("../run.js");
      await single("improve", { ...output, dir });
    });
}
