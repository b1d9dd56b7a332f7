/** The first policy, G=0 I=0: supervised training on the human pairs, or a model as it was given. */

import { rm } from "node:fs/promises";
import { dirname, join, resolve } from "node:path";
import { newConfig } from "../../model/config.js";
import { NativePolicy } from "../../policy/native.js";
import { loadTextCodec } from "../../text/text-codec.js";
import type { Config } from "../config.js";
import type { RunContext } from "../context.js";
import { dependenciesOf } from "../dependencies.js";
import { modelSize } from "../model-size.js";
import { BC, stepNames, streams } from "../names.js";
import { paceOf } from "../pace.js";
import { firstServed } from "../policy-home.js";
import { loadPrepared } from "./prepare.js";

/** Pairs on which the validation loss is computed. */
const VALIDATION_PAIRS = 500;

/** Makes BC unless it is there; `onPace` is told once how long a step takes. */
export async function imitate(
  run: RunContext,
  onPace?: (pace: { seconds: number; step: number }) => void,
): Promise<void> {
  await run.step(
    stepNames.bc,
    { dependsOn: dependenciesOf(stepNames.bc), outputs: [`policies/${BC}`] },
    async () => {
      if (run.config.policy.kind === "server") return takeServed(run);
      const { bc, model } = run.config;
      const prepared = await loadPrepared(run);
      const policy = await startingPolicy(run, run.config);
      const loss = () => policy.negativeLogLikelihood(prepared.validation.slice(0, VALIDATION_PAIRS));
      if (bc.steps === 0) {
        const facts = { steps: 0, bestStep: 0, tokens: 0, validationLoss: await loss() };
        await policy.save(run.folder.policy(BC));
        await policy.release();
        run.reporter.note(
          `BC: the model of ${model.from} as it is, validation loss ${facts.validationLoss.toFixed(3)} nats a token.`,
        );
        return { result: facts, metrics: facts };
      }
      const progress = run.reporter.progress("BC (G=0 I=0)", bc.steps, "steps");
      const stateFile = join(run.folder.policies, `${BC}.training`);
      let validationLoss = Number.NaN;
      const pace = paceOf();
      const result = await policy.train(
        prepared.train.map(({ source, target }) => ({ source, target, weight: 1 })),
        {
          ...optimizerOptions(bc),
          dropout: model.dropout,
          learningRate: bc.learningRate,
          steps: bc.steps,
          seed: run.seed(streams.bc),
          evaluateEvery: bc.validateEvery,
          patience: bc.patience === 0 ? Number.POSITIVE_INFINITY : bc.patience,
          evaluate: async () => {
            validationLoss = await loss();
            return -validationLoss;
          },
          stateFile,
          onNote: (sentence) => run.reporter.note(sentence),
          onProgress: ({ step, loss, tokensPerSecond }) => {
            const seen = Number.isNaN(validationLoss) ? "" : `, validation ${validationLoss.toFixed(3)}`;
            progress.update(step, `loss ${loss.toFixed(3)}${seen}, ${Math.round(tokensPerSecond)} tokens/s`);
            const seconds = pace(step);
            if (seconds !== undefined) onPace?.({ seconds, step });
          },
          ...(run.signal ? { signal: run.signal } : {}),
        },
      );
      progress.finish();
      await policy.save(run.folder.policy(BC));
      await policy.release();
      await rm(stateFile, { force: true });
      const facts = {
        steps: result.steps,
        bestStep: result.bestStep,
        tokens: result.tokens,
        validationLoss: -(result.bestScore ?? Number.NaN),
      };
      run.reporter.note(
        `BC: validation loss ${facts.validationLoss.toFixed(3)} nats a token at step ${facts.bestStep} of ${facts.steps}.`,
      );
      return {
        result: facts,
        metrics: { ...facts, evaluations: result.evaluations.map((row) => ({ ...row })) },
      };
    },
  );
}

/** A language model has imitated already: it is taken as the server has it. */
async function takeServed(run: RunContext) {
  const policy = firstServed(run.config, run.folder);
  await policy.save(run.folder.policy(BC));
  run.reporter.note(`BC: the model ${policy.model} as the server has it.`);
  const facts = { steps: 0, bestStep: 0, tokens: 0, model: policy.model };
  return { result: facts, metrics: facts };
}

async function startingPolicy(run: RunContext, config: Config): Promise<NativePolicy> {
  if (config.model.from !== null)
    return NativePolicy.load(run.thread, resolve(dirname(run.folder.config), config.model.from));
  const codec = await loadTextCodec(run.folder.inside("data/tokenizer"));
  const longest = Math.max(config.data.maxTokens, config.grow.maxTokens);
  const model = newConfig({
    ...modelSize(config.model),
    vocabulary: codec.source.vocabularySize,
    targetVocabulary: codec.target.vocabularySize,
    shared: codec.source === codec.target,
    eosId: codec.target.eosId,
    padId: codec.target.padId,
    dropout: config.model.dropout,
    // Room to spare: translating longer text than was trained on should be poor, not impossible.
    maxPositions: Math.max(512, longest + 1),
  });
  return NativePolicy.create(run.thread, model, codec, run.seed(streams.model));
}

/** The keys that BC and the Improve steps share, as the policy takes them. */
export function optimizerOptions(section: {
  batchTokens: number;
  accumulate: number;
  warmupSteps: number;
  schedule: "constant" | "linear" | "cosine" | "inverse-sqrt";
  labelSmoothing: number;
  weightDecay: number;
  clipNorm: number;
  averageDecay: number;
}) {
  return {
    batchTokens: section.batchTokens,
    accumulate: section.accumulate,
    warmupSteps: section.warmupSteps,
    schedule: section.schedule,
    labelSmoothing: section.labelSmoothing,
    weightDecay: section.weightDecay,
    clipNorm: section.clipNorm === 0 ? Number.POSITIVE_INFINITY : section.clipNorm,
    averageDecay: section.averageDecay,
  };
}
