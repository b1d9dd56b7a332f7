/** A run of a folder: opens it, does what its configuration asks for, goes on where it was left. */

import { readFile, rm } from "node:fs/promises";
import { trainOnline } from "../baseline/online.js";
import { UserError } from "../errors.js";
import { exists } from "../exists.js";
import { duration } from "../report/format.js";
import { writeFileAtomic } from "../store/atomic.js";
import { inputFiles } from "../store/input-files.js";
import { type Continuation, type Json, Manifest } from "../store/manifest.js";
import { MetricsLog } from "../store/metrics.js";
import { enterRunFolder, type RunFolder, runFolder } from "../store/run-folder.js";
import type { RunSummary } from "../store/summary.js";
import { Thread } from "../tensor/thread.js";
import { version } from "../version.js";
import { algorithm, type PlannedStep, perform, plannedSteps, type Steps } from "./algorithm.js";
import { type Config, parseConfig, renderConfig } from "./config.js";
import { RunContext } from "./context.js";
import { timeLeft } from "./estimate.js";
import { checkHelpers, checkInputs, inputPlaces } from "./inputs.js";
import { discardStaleWork } from "./leftovers.js";
import { liveReporter } from "./live.js";
import { BC, stepNames } from "./names.js";
import { trainingTime } from "./pace.js";
import { refuseExchanged } from "./pretrained-pin.js";
import { type Reporter, silent } from "./reporter.js";
import { withoutTransport } from "./reward-parts.js";
import { candidateIdentity, openDonors, takeStepOver } from "./share.js";
import { evaluatePolicy } from "./steps/evaluate.js";
import { sampleCandidates, scoreCandidates } from "./steps/grow.js";
import { imitate } from "./steps/imitate.js";
import { improvePolicy } from "./steps/improve.js";
import { prepare } from "./steps/prepare.js";
import { retrainReward, teachReward } from "./steps/reward.js";
import { writeSummary } from "./steps/summarise.js";
import { teachValue } from "./steps/value.js";

export interface RunOptions {
  /** The run folder; it holds `coppice.yaml`. */
  dir: string;
  reporter?: Reporter;
  /** Folders of other runs: their finished steps are taken over where the same values lead to them. */
  donors?: readonly string[];
  /** Aborting it stops the run at its next safe point with `Interrupted`; running again goes on from there. */
  signal?: AbortSignal;
}

/**
 * Runs a folder from start to report, or what is left of it.
 *
 * @example const { policies } = await runAll({ dir: "runs/mine" });
 */
export async function runAll(options: RunOptions): Promise<RunSummary> {
  return withRun(options, async (run) => {
    const plan = await plannedSteps(run.config);
    for (const sentence of intentions(run, plan)) run.reporter.note(sentence);
    const steps = stepsOf(run);
    const sayTimeLeft = async () => {
      const sentence = await timeLeft(run, plan);
      if (sentence) run.reporter.note(sentence);
      return sentence !== undefined;
    };
    let said = await sayTimeLeft();
    const one = algorithm(run.config, steps);
    const timed: typeof one = {
      ...one,
      imitate: async () => {
        const policy = await one.imitate();
        if (!said) said = await sayTimeLeft();
        return policy;
      },
      grow: async (policy, grow) => {
        const known = run.manifest.isDone(stepNames.score(grow));
        const candidates = await one.grow(policy, grow);
        // Sampling and scoring have been measured now.
        if (!known) await sayTimeLeft();
        return candidates;
      },
    };
    await perform(run.config, timed, steps);
    return writeSummary(run);
  });
}

/** The steps as this run does them. */
export function stepsOf(run: RunContext): Steps {
  return {
    prepare: () => prepare(run),
    imitate: async () => {
      const plan = await plannedSteps(run.config);
      await imitate(run, (pace) => run.reporter.note(trainingTime(run.config, plan, pace)));
    },
    teachReward: () => teachReward(run),
    retrainReward: (policy, grow) => retrainReward(run, policy, grow),
    sample: (policy, grow) => sampleCandidates(run, policy, grow),
    score: (grow) => scoreCandidates(run, grow),
    teachValue: (grow) => teachValue(run, grow),
    improve: (step) => improvePolicy(run, step),
    trainOnline: (policy) => trainOnline(run, policy),
    evaluate: (policy) => evaluatePolicy(run, policy),
  };
}

/** Opens the folder for writing, hands out its context, and closes everything whatever happens. */
export async function withRun<T>(options: RunOptions, work: (run: RunContext) => Promise<T>): Promise<T> {
  const paths = runFolder(options.dir);
  const config = await readConfig(paths.config);
  const fresh = !(await exists(paths.manifest));
  if (fresh) await checkInputs(config, paths.config);
  const folder = await enterRunFolder(options.dir);
  const reporter = liveReporter(folder.live, options.reporter ?? silent);
  let metrics: MetricsLog | undefined;
  let manifest: Manifest | undefined;
  try {
    manifest = await openManifest(folder, config, reporter);
    await writeFileAtomic(folder.resolvedConfig, renderConfig(config));
    metrics = MetricsLog.open(folder.metrics, manifest.metricsLines);
    const donors = await openDonors(options.donors ?? []);
    const { inputs } = manifest;
    const takeOver = (step: string) => takeStepOver(step, donors, { config, folder, inputs, reporter });
    return await inContext(
      { config, folder, manifest, metrics, reporter, takeOver, ...signalOf(options) },
      work,
    );
  } catch (error) {
    // What the user has to mend before anything is done leaves the folder as it was.
    if (fresh && error instanceof UserError && !manifest?.steps.length)
      for (const file of [folder.manifest, folder.metrics, folder.resolvedConfig])
        await rm(file, { force: true });
    throw error;
  } finally {
    metrics?.close();
    reporter.close();
    folder.unlock();
  }
}

/**
 * Opens the folder for reading, beside a process that works in it if need be, with the configuration that its steps
 * were done by. Throws a UserError where none is finished.
 */
export async function withFinished<T>(
  options: RunOptions,
  work: (run: RunContext) => Promise<T>,
): Promise<T> {
  const finished = await readFinished(options.dir);
  return inContext({ ...finished, reporter: options.reporter ?? silent, ...signalOf(options) }, work);
}

/** What a run holds that is finished in part at least. Throws a UserError where no step is. */
export async function readFinished(
  dir: string,
): Promise<{ config: Config; folder: RunFolder; manifest: Manifest }> {
  const folder = runFolder(dir);
  const manifest = await Manifest.read(dir);
  if (!manifest || manifest.steps.length === 0) {
    await readConfig(folder.config);
    throw new UserError(`nothing of this run is finished yet. Start it with coppice run ${dir}`, {
      file: dir,
    });
  }
  await manifest.check({ hash: false });
  return { config: await readConfig(folder.resolvedConfig), folder, manifest };
}

async function inContext<T>(
  parts: Omit<ConstructorParameters<typeof RunContext>[0], "thread">,
  work: (run: RunContext) => Promise<T>,
): Promise<T> {
  const thread = new Thread();
  try {
    const run = new RunContext({ ...parts, thread });
    try {
      return await work(run);
    } finally {
      await run.close();
    }
  } finally {
    await thread.close();
  }
}

function signalOf({ signal }: RunOptions): { signal?: AbortSignal } {
  return signal ? { signal } : {};
}

/** What is reused and why, what is to be done. */
function intentions({ manifest }: RunContext, plan: readonly PlannedStep[]): string[] {
  const names = (done: boolean) =>
    plan
      .map(({ name }) => name)
      .filter((name) => manifest.isDone(name) === done)
      .join(", ");
  const [reused, left] = [names(true), names(false)];
  const sentences: string[] = [];
  if (reused !== "")
    sentences.push(
      `Reusing ${reused}: finished in ${duration(manifest.seconds)} by the same configuration, seed and data.`,
    );
  sentences.push(left === "" ? "To do: only the report." : `To do: ${left}.`);
  if (!manifest.isDone(stepNames.bc))
    sentences.push(
      `How long it will take is said when the first steps of ${BC} are timed, and again after it.`,
    );
  return sentences;
}

export async function readConfig(file: string): Promise<Config> {
  let text: string;
  try {
    text = await readFile(file, "utf8");
  } catch (cause) {
    throw new UserError(
      "there is no configuration here. Make one with `coppice init DIR --pairs FILE`.",
      { file },
      { cause },
    );
  }
  return parseConfig(text, file);
}

async function openManifest(folder: RunFolder, config: Config, reporter: Reporter): Promise<Manifest> {
  const manifest = await Manifest.read(folder.root);
  const inputs = await inputFiles(await inputPlaces(config, folder.config), manifest?.inputs);
  // A configuration is what YAML holds, and so JSON.
  const now = { seed: config.seed, config: withoutTransport(config) as unknown as Json, inputs };
  if (!manifest)
    return Manifest.create(folder.root, { coppice: version, ...now, identity: candidateIdentity(config) });
  refuseExchanged(manifest.inputs, inputs);
  await checkWhatIsLeft(config, folder.config, manifest, now);
  for (const sentence of manifest.explainDifference(now)) reporter.note(sentence);
  await manifest.check({ hash: false });
  await discardStaleWork(folder, manifest, now);
  await manifest.adopt(now);
  await growAgain(folder, manifest, reporter);
  return manifest;
}

/** Samples of the last step that are not there any more, and not scored yet, come again from the same seed. */
async function growAgain(folder: RunFolder, manifest: Manifest, reporter: Reporter): Promise<void> {
  const last = manifest.steps.at(-1)?.name;
  const grow = Number(/^grow-(\d+)$/.exec(last ?? "")?.[1]);
  if (!(grow >= 1) || (await exists(folder.candidates(grow)))) return;
  reporter.note(`The candidates of ${last} are not there any more: they are sampled again.`);
  await manifest.forgetLast();
}

/** Checks inputs that steps still to be done will read, before a changed configuration costs any that are done. */
async function checkWhatIsLeft(
  config: Config,
  configFile: string,
  manifest: Manifest,
  now: Continuation,
): Promise<void> {
  const stale = manifest.firstStale(now);
  if (stale === stepNames.prepare || !manifest.isDone(stepNames.prepare))
    return checkInputs(config, configFile);
  const left = (await plannedSteps(config)).some(({ name }) => !manifest.isDone(name));
  if (left || stale !== undefined) await checkHelpers(config, configFile);
}
