/** How fast one process asks a server for candidates, where the server itself takes no time, or a fixed one. */

import { UserError } from "../src/errors.js";
import { compare, machine, median, needPeers, ours, peer } from "./rounds.js";
import { withServer } from "./with-server.js";

const ROUNDS = 3;
/** Candidates of a source. */
const SAMPLES = 16;

interface Case {
  /** Milliseconds from a request to its answer, in the server. */
  latency: number;
  /** Candidates of one request. */
  choices: number;
  /** Requests under way at the same time. */
  concurrency: number;
  /** Asked for in all: some seconds of work. */
  requests: number;
}

const cases: readonly Case[] = [0, 50].flatMap((latency) =>
  [1, SAMPLES].flatMap((choices) =>
    [16, 256].map((concurrency) => ({
      latency,
      choices,
      concurrency,
      // 16 at once with 50 ms each are 320 a second at most.
      requests: latency > 0 && concurrency === 16 ? 1600 : 4000,
    })),
  ),
);

/** @param choices `latency=50`, `choices=16` and `concurrency=256` leave out the other cases; none: all. */
export async function askBench(choices: readonly string[]): Promise<object> {
  const chosen = cases.filter((one) =>
    choices.every((choice) => {
      const [key, value] = choice.split("=");
      return (key === "latency" || key === "choices" || key === "concurrency") && String(one[key]) === value;
    }),
  );
  if (chosen.length === 0)
    throw new UserError(
      `latency=0 or 50, choices=1 or ${SAMPLES} and concurrency=16 or 256 are measured, not ${choices.join(" ")}.`,
    );
  needPeers(["openai"]);
  const rows = [];
  for (const one of chosen) {
    const found: Record<"ours" | "theirs", Record<string, number>[]> = { ours: [], theirs: [] };
    const side = async (name: "ours" | "theirs") => {
      const measured = await withServer("answering-server.ts", String(one.latency), (url) => {
        const settings = { ...one, url, samples: SAMPLES };
        return name === "ours" ? ours("ours-ask.ts", settings) : peer("ask.py", settings);
      });
      found[name].push(measured);
      return measured.requestsPerSecond!;
    };
    const ratio = await compare(
      ROUNDS,
      () => side("ours"),
      () => side("theirs"),
    );
    rows.push({
      ...one,
      ...ratio,
      candidatesPerSecond: ratio.ours * one.choices,
      ...sides("processorMilliseconds", found),
      ...sides("peakMegabytes", found),
    });
  }
  const last = rows.at(-1)!;
  return {
    ratio: last.ratio,
    low: last.low,
    high: last.high,
    unit: "requests/s; the ratio is that of the last row; processor milliseconds a request",
    rows,
    equal:
      `requests and answers (sources of about 150 characters, answers of about 120), and the server, a process of its own. ` +
      "Ours is the whole sampling of a Grow step: answers on disk as they come, then in Parquet; the peer keeps texts in memory",
    ...machine(),
  };
}

/** Medians over the rounds of what was measured beside the rate. */
function sides(name: string, { ours, theirs }: Record<"ours" | "theirs", Record<string, number>[]>) {
  const of = (side: Record<string, number>[]) => median(side.map((measured) => measured[name]!));
  return { [name]: of(ours), [`${name}Theirs`]: of(theirs) };
}
