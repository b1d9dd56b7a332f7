/** `/api/policies`: one source through every policy, out of what evaluation stored or as somebody types it. */

import { type Context, Hono } from "hono";
import { stream } from "hono/streaming";
import { z } from "zod";
import { Interrupted, UserError } from "../../errors.js";
import { policiesOf } from "../../rest/policies.js";
import type { Evaluated } from "../evaluated-run.js";
import { EvaluatedRuns, openManifest } from "../evaluated-run.js";
import type { EvaluatedPolicy } from "../evaluation-files.js";
import { missing } from "../missing.js";
import { readQuery, wholeNumber } from "../query.js";
import { warningsOf } from "../run-results.js";
import type { Route } from "../site.js";
import { Turns } from "../turns.js";
import { HeldTranslator, type OpenTranslator, type TypedTranslator } from "../typed-translator.js";
import type {
  PoliciesView,
  PolicyHead,
  SourceOrder,
  SourcesView,
  SourceView,
  TypedLimits,
  TypedLine,
} from "../views.js";

/** Sources of one answer. */
const PAGE = 50;

/** Requests that may wait for the one that is served. */
const ROOM = 3;

/** Seconds after which a request that found no place is worth another try. */
const RETRY_AFTER = 10;

const LIMITS: TypedLimits = { characters: 1000, bestOf: 64, temperature: 2 };

const SourcesQuery = z.object({
  search: z.string().default(""),
  order: z.enum(["corpus", "gain", "loss"]).default("corpus"),
  from: wholeNumber(0).default(0),
});

const SourceQuery = z.object({ id: wholeNumber(0) });

const TypedBody = z.strictObject({
  text: z.string(),
  bestOf: z.int().min(0).max(LIMITS.bestOf).default(0),
  temperature: z.number().min(0.05).max(LIMITS.temperature).default(1),
  policies: z.array(z.string().max(60)).min(1).max(100).optional(),
});

/** @param open how a run's policies are had, for typed sentences */
export function policiesRoute(open: OpenTranslator): Route {
  return (site) => {
    const runs = new EvaluatedRuns();
    const turns = new Turns(ROOM);
    const held = new HeldTranslator(open);
    site.onClose(() => held.close());
    const app = new Hono();

    app.get("/api/policies", async (context) => {
      const run = await site.run(context);
      const manifest = await openManifest(run.root);
      const { policies, pairs } = await runs.read(run.root);
      return context.json<PoliciesView>({
        policies: policies.map(policyHead),
        sources: pairs.length,
        warnings: policies.length === 0 ? [] : await warningsOf(run, policies.map(placedHead)),
        limits: LIMITS,
        trained: policiesOf(manifest),
      });
    });

    app.get("/api/policies/sources", async (context) => {
      const { search, order, from } = readQuery(context, SourcesQuery);
      const evaluated = await runs.read((await site.run(context)).root);
      const { first, last } = ends(evaluated);
      if (!first || !last) throw missing("No policy of this run has been evaluated yet.");
      const found = ordered(matching(evaluated, search), order, first, last);
      return context.json<SourcesView>({
        total: found.length,
        from,
        first: first.name,
        last: last.name,
        rows: found.slice(from, from + PAGE).map((id) => ({
          id,
          source: evaluated.pairs[id]!.source,
          first: first.translations[id]!.reward,
          last: last.translations[id]!.reward,
        })),
      });
    });

    app.get("/api/policies/source", async (context) => {
      const { id } = readQuery(context, SourceQuery);
      const evaluated = await runs.read((await site.run(context)).root);
      const pair = evaluated.pairs[id];
      if (!pair) throw missing(`There is no evaluated source ${id}; there are ${evaluated.pairs.length}.`);
      return context.json<SourceView>({
        id,
        source: pair.source,
        reference: pair.target,
        translations: evaluated.policies.map((policy) => ({
          policy: policy.name,
          control: policy.control,
          ...policy.translations[id]!,
          chrf: evaluated.chrf(policy, id),
        })),
      });
    });

    app.post("/api/policies/translate", async (context) => {
      const { root } = await site.run(context);
      const { text, policies, ...how } = await typedBody(context, policiesOf(await openManifest(root)));
      if (turns.full) {
        context.header("retry-after", String(RETRY_AFTER));
        return context.json(
          { error: "Other sentences are being translated. Try again in a few seconds." },
          429,
        );
      }
      context.header("content-type", "application/x-ndjson; charset=utf-8");
      return stream(context, async (lines) => {
        const gone = new AbortController();
        const signal = AbortSignal.any([gone.signal, site.closing]);
        lines.onAbort(() => gone.abort());
        // Not waited for: a reader who is slow to take lines must not hold the turn.
        const say = (line: TypedLine) => void lines.writeln(JSON.stringify(line));
        let release: (() => void) | undefined;
        try {
          if (turns.ahead > 0) say({ kind: "waiting", ahead: turns.ahead });
          release = await turns.take(signal);
          await held.use(root, (translator) =>
            everyPolicy(translator, { text, policies, ...how, signal }, say),
          );
          say({ kind: "end" });
        } catch (error) {
          if (signal.aborted || error instanceof Interrupted) return;
          if (!(error instanceof UserError)) console.error(error);
          say({
            kind: "failed",
            error:
              error instanceof UserError
                ? error.message
                : "The dashboard failed at this; its terminal says how.",
          });
        } finally {
          release?.();
        }
      });
    });

    return app;
  };
}

/** A policy's figures without its translations. */
export function policyHead({ name, control, summary }: EvaluatedPolicy): PolicyHead {
  const { reward, bleu, chrf, judge } = summary;
  return { name, control, reward, bleu, chrf, ...(judge && { judge }) };
}

function placedHead(policy: EvaluatedPolicy) {
  return { ...policyHead(policy), grow: policy.grow, improve: policy.improve };
}

/** The first policy and the last that is no control. */
function ends({ policies }: Evaluated) {
  return { first: policies[0], last: policies.findLast(({ control }) => !control) };
}

/** Places of the sources that contain the text, or whose reference does; upper and lower case are held equal. */
function matching({ pairs }: Evaluated, search: string): number[] {
  const wanted = search.trim().toLocaleLowerCase();
  const places = pairs.map((_, id) => id);
  if (wanted === "") return places;
  return places.filter((id) =>
    [pairs[id]!.source, pairs[id]!.target].some((text) => text.toLocaleLowerCase().includes(wanted)),
  );
}

/** By what the last policy's reward is above the first one's: most first, or least. */
function ordered(
  places: readonly number[],
  order: SourceOrder,
  first: EvaluatedPolicy,
  last: EvaluatedPolicy,
): number[] {
  if (order === "corpus") return [...places];
  const gain = (id: number) => last.translations[id]!.reward - first.translations[id]!.reward;
  const sign = order === "gain" ? 1 : -1;
  return [...places].sort((a, b) => sign * (gain(b) - gain(a)) || a - b);
}

/** The request, checked. Throws a UserError naming what is wrong. */
async function typedBody(context: Context, trained: readonly string[]) {
  const json: unknown = await context.req.json().catch(() => {
    throw new UserError('the body is not JSON. Send {"text": "…"}.');
  });
  const parsed = TypedBody.safeParse(json);
  if (!parsed.success) {
    const issue = parsed.error.issues[0]!;
    throw new UserError(
      `${issue.path.join(".") || "the body"} is wrong (${issue.message}). Change it and ask again.`,
    );
  }
  const { policies = trained, ...rest } = parsed.data;
  // One sentence: line breaks of what was pasted are spaces.
  const text = rest.text.replace(/\s+/g, " ").trim();
  if (text === "") throw new UserError("there is no text to translate. Type a sentence.");
  const { length } = Array.from(text);
  if (length > LIMITS.characters)
    throw new UserError(
      `the text has ${length} characters, but ${LIMITS.characters} is the most. Shorten it.`,
    );
  const unknown = policies.find((name) => !trained.includes(name));
  if (unknown !== undefined)
    throw new UserError(
      `the run has no policy ${JSON.stringify(unknown)}. It has ${trained.join(", ") || "none yet"}.`,
    );
  if (policies.length === 0)
    throw new UserError("the run has no policy yet. Wait for its first to be trained.");
  return { ...rest, text, policies };
}

async function everyPolicy(
  translator: TypedTranslator,
  task: {
    text: string;
    policies: readonly string[];
    bestOf: number;
    temperature: number;
    signal: AbortSignal;
  },
  say: (line: TypedLine) => void,
): Promise<void> {
  const { policies, ...request } = task;
  for (const policy of policies) {
    if (request.signal.aborted) throw new Interrupted();
    say({ kind: "policy", ...(await translator.translate({ ...request, policy })) });
  }
}
