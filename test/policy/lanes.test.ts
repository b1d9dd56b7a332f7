import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { LanePlan } from "../../src/policy/lanes.js";
import { deriveKey, integerBelow } from "../../src/tensor/random.js";

interface Running {
  readonly source: number;
  readonly sampleId: number;
  readonly block: number;
  left: number;
}

interface Settings {
  readonly groups: number;
  readonly lanes: number;
  readonly sources: number;
  readonly n: number;
  /** Steps that the longest candidate takes. */
  readonly longest: number;
  readonly seed: number;
}

/** Plays a plan with candidates of random length; checks each answer, gives the busy lanes and computed rows of each step. */
function play(
  { groups, lanes, sources, n, longest, seed }: Settings,
  /** Drops every so many-th source after so many steps. */
  drop?: { after: number; every: number },
) {
  const plan = new LanePlan(groups, lanes, sources, n);
  const rows: (Running | undefined)[] = Array.from({ length: groups * lanes }, () => undefined);
  const blocks: (number | undefined)[][] = Array.from({ length: groups }, () => []);
  const groupOf = (row: number) => Math.floor(row / lanes);
  const written = new Set<string>();
  /** Dropped sources, with how many of their candidates had been given to a lane by then. */
  const dropped = new Map<number, number>();
  const steps: { busy: number; rows: number; waiting: boolean }[] = [];
  /** Writes a source into a block, which nobody may be reading. */
  const fillBlock = (group: number, block: number, source: number) => {
    expect(block).toBeLessThan(lanes);
    const readers = rows.filter((lane, row) => lane?.block === block && groupOf(row) === group);
    expect(readers).toEqual([]);
    blocks[group]![block] = source;
  };
  while (plan.waiting || rows.some((lane) => lane)) {
    if (drop && steps.length === drop.after)
      for (let source = 0; source < sources; source += drop.every) {
        plan.drop(source);
        dropped.set(source, [...written].filter((name) => name.startsWith(`${source} `)).length);
        rows.forEach((lane, row) => {
          if (lane?.source !== source) return;
          plan.finish(row);
          rows[row] = undefined;
        });
      }
    for (let row = 0; row < rows.length; row++) {
      if (rows[row]) continue;
      const given = plan.assign(row);
      if (!given) continue;
      const { source, sampleId, block, fresh } = given;
      if (fresh) fillBlock(groupOf(row), block, source);
      expect(blocks[groupOf(row)]![block]).toBe(source);
      expect(written).not.toContain(`${source} ${sampleId}`);
      written.add(`${source} ${sampleId}`);
      const left = 1 + integerBelow(deriveKey(seed, source, sampleId), 0, longest);
      rows[row] = { source, sampleId, block, left };
    }
    if (!plan.waiting)
      for (const { from, to, block, fresh } of plan.compact()) {
        const moved = rows[from]!;
        expect(rows[to]).toBeUndefined();
        if (fresh) fillBlock(groupOf(to), block, moved.source);
        expect(blocks[groupOf(to)]![block]).toBe(moved.source);
        rows[to] = { ...moved, block };
        rows[from] = undefined;
      }
    const busy = rows.filter((lane) => lane).length;
    const last = groupOf(rows.findLastIndex((lane) => lane));
    steps.push({ busy, rows: (1 + last) * lanes, waiting: plan.waiting });
    rows.forEach((lane, row) => {
      if (!lane || --lane.left > 0) return;
      plan.finish(row);
      rows[row] = undefined;
    });
  }
  return { written, steps, dropped };
}

const settings = fc.record({
  groups: fc.integer({ min: 1, max: 9 }),
  lanes: fc.constantFrom(2, 4, 16),
  sources: fc.integer({ min: 1, max: 40 }),
  n: fc.constantFrom(1, 4, 5, 16, 100),
  longest: fc.constantFrom(1, 4, 40),
  seed: fc.nat(1000),
});

describe("a plan of lanes", () => {
  it("gives each candidate to one lane, and each lane a block that holds its source", () => {
    fc.assert(
      fc.property(settings, (chosen) => {
        const { written } = play(chosen);
        expect(written.size).toBe(chosen.sources * chosen.n);
      }),
      { numRuns: 60, seed: 3 },
    );
  });

  it("leaves no lane idle while a candidate waits", () => {
    fc.assert(
      fc.property(settings, (chosen) => {
        const { steps } = play(chosen);
        const rows = chosen.groups * chosen.lanes;
        for (const { busy } of steps.filter(({ waiting }) => waiting)) expect(busy).toBe(rows);
      }),
      { numRuns: 60, seed: 4 },
    );
  });

  it("brings what runs together once none waits, in as few groups as hold it", () => {
    fc.assert(
      fc.property(settings, (chosen) => {
        for (const { busy, rows, waiting } of play(chosen).steps)
          if (!waiting) expect(rows).toBe(Math.ceil(busy / chosen.lanes) * chosen.lanes);
      }),
      { numRuns: 60, seed: 5 },
    );
  });

  it("prefers a source that the group holds, then a new one, then the one with most left", () => {
    // Two groups of two lanes, three sources of three candidates.
    const plan = new LanePlan(2, 2, 3, 3);
    const next = (row: number) => {
      const { source, sampleId, block, fresh } = plan.assign(row)!;
      return `source ${source} sample ${sampleId} block ${block}${fresh ? " fresh" : ""}`;
    };
    expect([0, 1, 2, 3].map(next)).toEqual([
      "source 0 sample 0 block 0 fresh",
      "source 0 sample 1 block 0",
      "source 1 sample 0 block 0 fresh",
      "source 1 sample 1 block 0",
    ]);
    plan.finish(0);
    expect(next(0)).toBe("source 0 sample 2 block 0");
    plan.finish(1);
    expect(next(1)).toBe("source 2 sample 0 block 1 fresh");
    plan.finish(2);
    expect(next(2)).toBe("source 1 sample 2 block 0");
    plan.finish(3);
    expect(next(3)).toBe("source 2 sample 1 block 1 fresh");
    expect(plan.waits(1)).toBe(false);
    expect(plan.waits(2)).toBe(true);
    plan.finish(2);
    expect(next(2)).toBe("source 2 sample 2 block 1");
    expect(plan.waiting).toBe(false);
    expect(plan.assign(0)).toBeUndefined();
  });

  it("gives no candidate of a dropped source, and every one of the others", () => {
    fc.assert(
      fc.property(settings, fc.nat(60), (chosen, after) => {
        const { written, dropped } = play(chosen, { after, every: 3 });
        for (const [source, already] of dropped)
          expect([...written].filter((name) => name.startsWith(`${source} `)).length).toBe(already);
        const kept = chosen.sources - dropped.size;
        const whole = [...written].filter((name) => !dropped.has(Number(name.split(" ")[0])));
        expect(whole.length).toBe(kept * chosen.n);
      }),
      { numRuns: 60, seed: 6 },
    );
  });

  it("drops a source that has not begun, one that has, and the last one", () => {
    const plan = new LanePlan(1, 2, 3, 3);
    expect(plan.assign(0)).toMatchObject({ source: 0, sampleId: 0 });
    plan.drop(1);
    plan.drop(0);
    expect([plan.waits(0), plan.waits(1), plan.waits(2)]).toEqual([false, false, true]);
    plan.finish(0);
    expect(plan.assign(0)).toMatchObject({ source: 2, sampleId: 0 });
    plan.drop(2);
    expect(plan.waiting).toBe(false);
    expect(plan.assign(1)).toBeUndefined();
  });
});
