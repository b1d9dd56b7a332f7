/** `coppice grow`: the next Grow step alone, or one share of it. */
import type { Command } from "commander";
import { addCommand } from "../command.js";
import type { OutputOptions } from "../terminal.js";

export function addGrow(program: Command): void {
  addCommand(program, "grow <dir>", {
    summary: "sample candidates from the latest policy",
    description:
      "Does the next Grow step of a run: samples candidates for every source and stores them, to be scored next. Where no " +
      "reward is learned, the first policy is trained first. An error names the step that is due where it is another one. " +
      "With --shard it samples one share of the sources, beside processes here or on other machines that take the others; " +
      "without, it puts together what shares have written and samples what is missing. The result is the same bytes either way. " +
      "Machines without a common folder leave their parts in grow.store: s3://BUCKET/PREFIX, with AWS_ACCESS_KEY_ID, " +
      "AWS_SECRET_ACCESS_KEY, AWS_REGION and AWS_ENDPOINT_URL of the environment, or a folder.",
    examples: [
      ["coppice grow runs/mine", "then: coppice score runs/mine, coppice improve runs/mine"],
      ["coppice grow runs/mine --shard 3/8", "the third of eight shares; then, when all are done, as above"],
      [
        "AWS_ENDPOINT_URL=http://minio:9000 coppice grow runs/mine --shard 3/8",
        "the same with grow.store: s3://bucket/mine in the copy of runs/mine on each machine",
      ],
    ],
  })
    .option("--shard <k/n>", "sample share k of n alone")
    .action(async (dir: string, { shard, ...output }: OutputOptions & { shard?: string }) => {
      const { single, growOneShard } = await import("../run.js");
      await (shard === undefined
        ? single("grow", { ...output, dir })
        : growOneShard(shard, { ...output, dir }));
    });
}
