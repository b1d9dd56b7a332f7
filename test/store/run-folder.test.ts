import { join, resolve } from "node:path";
import { expect, it } from "vitest";
import { UserError } from "../../src/errors.js";
import { runFolder } from "../../src/store/run-folder.js";

const run = runFolder("runs/demo");

it("paths are those that the documentation lists", () => {
  const root = resolve("runs/demo");
  expect(run.config).toBe(join(root, "coppice.yaml"));
  expect(run.policy("G0I0")).toBe(join(root, "policies/G0I0"));
  expect(run.candidates(1)).toBe(join(root, "grow-1/candidates.parquet"));
});

it.each(["BC", "G1I4", "G12I3", "G1I3-random"])("%s is the name of a policy", (name) => {
  expect(run.policy(name)).toContain(name);
});

it.each(["../../etc", "G1", "g1i1", "G1I1/..", "", "G1I1-"])("%j is not the name of a policy", (name) => {
  expect(() => run.policy(name)).toThrow(UserError);
});

it.each(["../x", "/etc/passwd", "a/../../x", "..", "a\0b"])(
  "the path %j does not leave the run folder",
  (path) => {
    expect(() => run.inside(path)).toThrow(UserError);
  },
);

it.each(["a/b", "..a", "a/../b", "."])("the path %j is inside the run folder", (path) => {
  expect(run.inside(path).startsWith(run.root)).toBe(true);
});

it.each([0, 1.5, -1])("there is no Grow step %d", (grow) => {
  expect(() => run.grow(grow)).toThrow(UserError);
});
