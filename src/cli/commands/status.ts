/** `coppice status`: how far a run is. */
import type { Command } from "commander";
import { addCommand } from "../command.js";
import { type OutputOptions, openTerminal } from "../terminal.js";

export function addStatus(program: Command): void {
  addCommand(program, "status <dir>", {
    summary: "how far a run is, and its figures",
    description:
      "Says which steps of a run are done and which are next, whether a process is working on it, and what it has measured.",
    examples: [
      ["coppice status runs/demo", "a table for people"],
      ["coppice status runs/demo --json", "the same for machines"],
    ],
  }).action(async (dir: string, options: OutputOptions) => {
    const { runStatus, statusJson, statusText } = await import("../status.js");
    const status = await runStatus(dir);
    openTerminal(options).result(statusJson(status), (colour) => statusText(status, colour));
  });
}
