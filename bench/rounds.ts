/** Fair comparisons: fresh processes, the order reversed each round, medians with their range. */

import { spawn, spawnSync } from "node:child_process";
import { cpus } from "node:os";
import { fileURLToPath } from "node:url";
import { UserError } from "../src/errors.js";

const here = fileURLToPath(new URL(".", import.meta.url));

export interface Ratio {
  /** Median over rounds of ours over theirs; above 1 is better for us. */
  ratio: number;
  low: number;
  high: number;
  ours: number;
  theirs: number;
  rounds: number;
}

/** Throws a UserError where the peers cannot run; ask before any work is done. */
export function needPeers(): void {
  const { status } = spawnSync(python(), ["-c", "import safetensors, torch, transformers"], {
    stdio: "ignore",
  });
  if (status !== 0)
    throw new UserError(
      `${python()} has no PyTorch and Transformers to measure against. Install them with: ` +
        "pip install -r bench/peer/requirements.txt (COPPICE_PYTHON names another Python).",
    );
}

export function python(): string {
  return process.env.COPPICE_PYTHON || "python3";
}

/** Runs both sides once a round and compares the rates that they give. */
export async function compare(
  rounds: number,
  ours: () => Promise<number>,
  theirs: () => Promise<number>,
): Promise<Ratio> {
  const a: number[] = [];
  const b: number[] = [];
  for (let round = 0; round < rounds; round++) {
    if (round % 2 === 0) {
      a.push(await ours());
      b.push(await theirs());
    } else {
      b.push(await theirs());
      a.push(await ours());
    }
    console.error(
      `round ${round + 1} of ${rounds}: ours ${a.at(-1)!.toFixed(1)}, peer ${b.at(-1)!.toFixed(1)}`,
    );
  }
  const ratios = a.map((value, i) => value / b[i]!);
  return {
    ratio: median(ratios),
    low: Math.min(...ratios),
    high: Math.max(...ratios),
    ours: median(a),
    theirs: median(b),
    rounds,
  };
}

export function median(values: readonly number[]): number {
  const sorted = [...values].sort((x, y) => x - y);
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2;
}

/** One side of ours in a process of its own; it prints one line of JSON. */
export function ours(program: string, settings: object): Promise<Record<string, number>> {
  return lastLine(process.execPath, ["--import", "tsx", `${here}${program}`, JSON.stringify(settings)]);
}

/** The peer, in Python. */
export function peer(program: string, settings: object): Promise<Record<string, number>> {
  return lastLine(python(), [`${here}peer/${program}`, JSON.stringify(settings)]);
}

/** What the figures were measured on. */
export function machine(): { cpu: string; cores: number; date: string } {
  return {
    cpu: cpus()[0]?.model ?? "unknown",
    cores: cpus().length,
    date: new Date().toISOString().slice(0, 10),
  };
}

async function lastLine(command: string, args: readonly string[]): Promise<Record<string, number>> {
  const child = spawn(command, args, { stdio: ["ignore", "pipe", "pipe"] });
  let out = "";
  let err = "";
  child.stdout.on("data", (data) => {
    out += String(data);
  });
  child.stderr.on("data", (data) => {
    err += String(data);
  });
  const code = await new Promise<number | null>((resolve, reject) => {
    child.on("error", reject);
    child.on("close", resolve);
  });
  if (code !== 0) throw new Error(`${command} ${args[0]} ended with ${code}:\n${err.slice(-2000)}`);
  return JSON.parse(out.trim().split("\n").at(-1)!) as Record<string, number>;
}
