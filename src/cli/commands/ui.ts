/** `coppice ui`: the dashboard. */
import type { Command } from "commander";
import { addCommand, portNumber } from "../command.js";
import type { OutputOptions } from "../terminal.js";

interface UiCommandOptions extends OutputOptions {
  host?: string;
  port?: number;
}

export function addUi(program: Command): void {
  addCommand(program, "ui <dir>", {
    summary: "watch a run and look through what it wrote, in a browser",
    description:
      "Serves the dashboard of a run, a study or a folder of runs until Ctrl-C, and prints its address. It reads, and " +
      "writes nothing but ratings. Other machines reach it only with --host, and then with the token in that address.",
    examples: [
      ["coppice ui runs/mine", "one run, on port 4242 or the next that is free"],
      ["coppice ui runs --port 8080", "all runs below a folder"],
      ["coppice ui runs --host 0.0.0.0", "from other machines too, by a token (or COPPICE_TOKEN)"],
    ],
  })
    .option("--host <address>", "address to listen on; 127.0.0.1 when left out")
    .option("--port <n>", "port; 4242 or the next that is free when left out", portNumber)
    .action(async (dir: string, options: UiCommandOptions) => {
      const { ui } = await import("../ui.js");
      await ui({ ...options, dir });
    });
}
