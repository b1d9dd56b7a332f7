/** What sharing saves: candidates of one source side by side, against each as a source of its own. */

import { compare, machine, ours } from "./rounds.js";
import { sampleTask } from "./sample-task.js";

export async function decodeBench(): Promise<object> {
  const task = await sampleTask();
  const settings = {
    folder: task.folder,
    sources: task.sources(64),
    candidates: 16,
    newTokens: 24,
    temperature: 0.8,
    threads: 2,
    rows: 256,
  };
  const rate = async (apart: boolean) =>
    (await ours("ours-sample.ts", { ...settings, apart })).candidatesPerSecond!;
  const ratio = await compare(
    3,
    () => rate(false),
    () => rate(true),
  );
  return { ...ratio, unit: "candidates/s, N = 16", ...machine() };
}
