/** Load that the server holds: clients that ask one after another, decoded together or one at a time. */

import { rmSync } from "node:fs";
import { UserError } from "../src/errors.js";
import { compare, machine, median } from "./rounds.js";
import { serveTask } from "./serve-task.js";
import { withServer } from "./with-server.js";

const ROUNDS = 3;
const CLIENTS = [1, 8, 64] as const;
const NEW_TOKENS = 24;
/** Candidates decoded at once, where they are decoded together; as the server has it. */
const ROWS = 256;
const WARM_SECONDS = 1;
const SECONDS = 10;

interface Load {
  requestsPerSecond: number;
  /** Seconds from a request to its answer. */
  p50: number;
  p99: number;
}

/** @param choices numbers of clients to measure, and `seconds=1` for a shorter look; none: all, 10 seconds each. */
export async function serveBench(choices: readonly string[]): Promise<object> {
  const [, given] = choices.map((choice) => /^seconds=(\d+)$/.exec(choice)).find((found) => found) ?? [];
  const seconds = given === undefined ? SECONDS : Number(given);
  const numbers = choices.filter((choice) => !choice.startsWith("seconds="));
  const clients = CLIENTS.filter((count) => numbers.length === 0 || numbers.includes(String(count)));
  if (clients.length === 0)
    throw new UserError(`Serving is measured with ${CLIENTS.join(", ")} clients, not ${numbers.join(", ")}.`);
  const { folder, source } = await serveTask(NEW_TOKENS);
  try {
    const rows = [];
    for (const count of clients) {
      const loads: { together: Load[]; alone: Load[] } = { together: [], alone: [] };
      const side = async (name: "together" | "alone", rows: number) => {
        const load = await withServer("ours-serve.ts", JSON.stringify({ dir: folder, rows }), (url) =>
          measure(url, count, seconds, source),
        );
        loads[name].push(load);
        return load.requestsPerSecond;
      };
      const ratio = await compare(
        ROUNDS,
        () => side("together", ROWS),
        () => side("alone", 1),
      );
      rows.push({
        clients: count,
        ...ratio,
        ...latencies("p50", loads),
        ...latencies("p99", loads),
      });
    }
    const last = rows.at(-1)!;
    return {
      ratio: last.ratio,
      low: last.low,
      high: last.high,
      unit: `requests/s, together over one at a time, ${last.clients} clients; latencies in seconds`,
      rows,
      equal: `preset small, vocabulary 8,000, sources of 8 to 23 words, ${NEW_TOKENS} new tokens, one sample a request`,
      ...machine(),
    };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** `p50`, decoded together, and `p50Alone`: medians over the rounds. */
function latencies(name: "p50" | "p99", { together, alone }: { together: Load[]; alone: Load[] }) {
  return {
    [name]: median(together.map((load) => load[name])),
    [`${name}Alone`]: median(alone.map((load) => load[name])),
  };
}

/** So many clients, each of which asks again when it has its answer; answers of the first second do not count. */
async function measure(
  url: string,
  clients: number,
  seconds: number,
  source: (index: number) => string,
): Promise<Load> {
  let next = 0;
  const ask = async () => {
    const seed = next++;
    const response = await fetch(`${url}/v1/chat/completions`, {
      method: "POST",
      body: JSON.stringify({ messages: [{ role: "user", content: source(seed) }], temperature: 1, seed }),
    });
    await response.text();
    if (response.status !== 200) throw new Error(`the server answered with ${response.status}`);
  };
  // Connections are made and the machine is warm before a clock starts.
  await Promise.all(Array.from({ length: clients }, ask));
  const latencies: number[] = [];
  const counts = performance.now() + 1000 * WARM_SECONDS;
  const end = counts + 1000 * seconds;
  const client = async () => {
    for (;;) {
      const begin = performance.now();
      if (begin >= end) return;
      await ask();
      const now = performance.now();
      if (now >= counts && now < end) latencies.push((now - begin) / 1000);
    }
  };
  await Promise.all(Array.from({ length: clients }, client));
  latencies.sort((a, b) => a - b);
  if (latencies.length === 0) throw new Error("no answer came in time: measure longer");
  return {
    requestsPerSecond: latencies.length / seconds,
    p50: percentile(latencies, 0.5),
    p99: percentile(latencies, 0.99),
  };
}

/** The smallest of rising numbers that so great a share of them does not exceed. */
function percentile(rising: readonly number[], share: number): number {
  return rising[Math.max(0, Math.ceil(share * rising.length) - 1)]!;
}
