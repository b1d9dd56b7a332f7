/** Steps that one run has done and another would do in the same way: taken over, file by file, and not done again. */

import { copyFile, link, readFile, stat } from "node:fs/promises";
import { relative, sep } from "node:path";
import { writeAside } from "../store/atomic.js";
import { changedInputs, type InputFile } from "../store/input-files.js";
import { type FinishedStep, type Json, keysDiffer, Manifest } from "../store/manifest.js";
import { type MetricRecord, readMetrics } from "../store/metrics.js";
import { type RunFolder, runFolder } from "../store/run-folder.js";
import { type Config, parseConfig } from "./config.js";
import type { TakenStep } from "./context.js";
import { dependenciesOf } from "./dependencies.js";
import { isOnlinePolicy, parsePolicyName, stepNames } from "./names.js";
import type { Reporter } from "./reporter.js";

/** A run that steps can be taken from. */
interface Donor {
  readonly folder: RunFolder;
  readonly manifest: Manifest;
  readonly config: Config;
}

/** The runs in `folders`; one that has not begun has nothing to give and is left out. */
export async function openDonors(folders: readonly string[]): Promise<Donor[]> {
  const donors: Donor[] = [];
  for (const dir of folders) {
    const manifest = await Manifest.read(dir);
    if (!manifest) continue;
    const folder = runFolder(dir);
    const config = parseConfig(await readFile(folder.resolvedConfig, "utf8"), folder.resolvedConfig);
    donors.push({ folder, manifest, config });
  }
  return donors;
}

/**
 * Links (or where the file system cannot, copies) the outputs of `step` from the first donor that has done it from the
 * same seed and values; undefined where none has. Killed in between, files are left that no step claims: the next call
 * replaces them, or the step's own work does.
 */
export async function takeStepOver(
  step: string,
  donors: readonly Donor[],
  run: { config: Config; folder: RunFolder; inputs: readonly InputFile[]; reporter: Reporter },
): Promise<TakenStep | undefined> {
  for (const donor of donors) {
    // The same names may stand for other files by now.
    if (changedInputs(donor.manifest.inputs, run.inputs).length > 0) continue;
    const done = donor.manifest.step(step);
    if (!done || !sameOutcome(step, donor.config, run.config)) continue;
    const files = outputsOf(done);
    if (!(await whole(donor, files))) continue;
    for (const path of files) await place(donor.folder.inside(path), run.folder.inside(path));
    const from = relative(run.folder.root, donor.folder.root).split(sep).join("/");
    run.reporter.note(`${step}: the same as in ${from}, taken over from there.`);
    return { from, seconds: done.time.seconds, result: done.result, metrics: linesOf(donor, step) };
  }
  return undefined;
}

/**
 * Whether a step comes out the same from two configurations. Finer than the keys it depends on, which say what to redo
 * when one configuration changes: an Improve step of the first Grow follows from the thresholds up to its own, and
 * from neither the number of steps nor the control.
 */
export function sameOutcome(step: string, one: Config, other: Config): boolean {
  const keys = [...dependenciesOf(stepNames.prepare), ...dependenciesOf(step)];
  return !keysDiffer(upTo(step, one), upTo(step, other), keys) && one.seed === other.seed;
}

/** What candidates follow from, whichever Improve steps are made of them; see `ManifestOptions.identity`. */
export function candidateIdentity(config: Config): Json {
  const { method: _, improve: __, online: ___, evaluate: ____, grow, ...before } = config;
  // Not undefined but absent, so that a run begun before there was the key is the same run.
  const { store: _____, ...sampling } = grow;
  return json({ ...before, grow: { ...sampling, steps: 0 } });
}

/** The configuration without what comes after `step`. */
function upTo(step: string, config: Config): Json {
  const { improve } = config;
  const grow = { ...config.grow, store: null };
  const policy = step.replace(/^evaluate-/, "");
  // Online, the samples that are drawn follow from all of Grow.
  if (isOnlinePolicy(policy)) return json({ ...config, grow });
  const name = parsePolicyName(policy);
  const steps = name?.grow === 1 ? name.improve : improve.steps;
  return json({
    ...config,
    grow: { ...grow, steps: 0 },
    improve: {
      ...improve,
      steps,
      control: false,
      thresholds: { ...improve.thresholds, values: improve.thresholds.values.slice(0, steps) },
    },
  });
}

/** A configuration is what YAML holds, and so JSON. */
function json(config: unknown): Json {
  return config as Json;
}

/** The samples of a Grow step are no output of it: scores join them in the same file. */
function outputsOf({ name, outputs }: FinishedStep): string[] {
  const [, grow] = /^grow-(\d+)$/.exec(name) ?? [];
  return grow === undefined
    ? outputs.map(({ path }) => path)
    : [`${stepNames.grow(Number(grow))}/candidates.parquet`];
}

/** Whether all of `files` lie in the donor's folder as its manifest says. */
async function whole({ folder, manifest }: Donor, files: readonly string[]): Promise<boolean> {
  const sizes = new Map(
    manifest.steps.flatMap(({ outputs }) => outputs.map(({ path, bytes }) => [path, bytes])),
  );
  for (const path of files) {
    const found = await stat(folder.inside(path)).catch(() => undefined);
    if (found === undefined || found.size !== (sizes.get(path) ?? found.size)) return false;
  }
  return true;
}

/** The two names then share one file, which is safe: files of a run are replaced whole and never written into. */
async function place(from: string, to: string): Promise<void> {
  // Renaming one name of a file to another name of the same file would leave both.
  if (await sameFile(from, to)) return;
  await writeAside(to, (aside) => link(from, aside).catch(() => copyFile(from, aside)));
}

async function sameFile(one: string, other: string): Promise<boolean> {
  const [a, b] = await Promise.all(
    [one, other].map((path) => stat(path, { bigint: true }).catch(() => undefined)),
  );
  return a !== undefined && b !== undefined && a.ino === b.ino && a.dev === b.dev;
}

function linesOf({ folder, manifest }: Donor, step: string): MetricRecord[] {
  return readMetrics(folder.metrics)
    .slice(0, manifest.metricsLines)
    .filter((record) => record.step === step);
}
