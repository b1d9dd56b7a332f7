/** Made-up sources and rounds for the tests of ratings. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { onTestFinished } from "vitest";
import { type CheckableSource, planRound, type RatableSource } from "../../src/rating/plan.js";
import type { Round } from "../../src/rating/round.js";

/** `count` sources, each translated differently by each policy; the reward rises with the policy. */
export function ratable(count: number, policies = ["G0I0", "G1I2"]): RatableSource[] {
  return Array.from({ length: count }, (_, id) => ({
    id,
    source: `Quelle ${id}`,
    reference: `reference ${id}`,
    outputs: policies.map((policy, at) => ({
      policy,
      text: `text ${id} of the ${at + 1}. kind`,
      reward: (at + 1) / (policies.length + 1),
    })),
  }));
}

export function checkable(count: number): CheckableSource[] {
  return Array.from({ length: count }, (_, id) => ({
    id,
    source: `Quelle ${id}`,
    reference: `reference ${id}`,
    damaged: [{ kind: "shuffled", text: `${id} reference` }],
  }));
}

interface RoundOptions {
  items?: number;
  repeats?: number;
  checks?: number;
  seed?: number;
  sources?: RatableSource[];
}

export function testRound({
  items = 12,
  repeats = 0,
  checks = 0,
  seed = 1,
  sources = ratable(items + checks),
}: RoundOptions = {}): Round {
  const plan = planRound(sources, checkable(items + checks), {
    ...{ seed, items, repeats, checks },
    policies: ["G0I0", "G1I2"],
  });
  return { ...plan, createdAt: "2026-01-02T03:04:05.000Z" };
}

/** An empty folder that is removed after the test. */
export function temporaryFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), "coppice-rating-"));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}
