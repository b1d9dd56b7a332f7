/** The numbers of metrics.jsonl as series that trackers draw. */

import { parsePolicyName } from "../rest/names.js";
import type { MetricRecord, MetricValue } from "../store/metrics.js";
import type { RunRecord } from "./record.js";

export interface Scalar {
  /** Line of metrics.jsonl, from 1. */
  line: number;
  /** `run` for what follows the whole run, `random` for its controls, a policy's name for its own training. */
  curve: string;
  /** `evaluate/bleu`, `train/loss`. */
  series: string;
  /** The policy it is of; empty where it is of none. */
  policy: string;
  /** Training step or batch; Grow step; for whole policies, their place in the order of the run, BC at 0. */
  step: number;
  value: number;
  /** Seconds since 1970, as far as it is known: within a step, evenly over the time that it took. */
  at: number;
}

/** Where a record's numbers belong. */
interface Place {
  curve: string;
  group: string;
  policy: string;
  step: number;
}

/** Keys that say which step a record is of, and no figure. */
const PLACES = new Set(["step", "grow", "improve", "policy", "batch"]);

/** All figures of the finished steps, in the order of metrics.jsonl; what is null there was not a number and is left out. */
export function scalarsOf({ metrics }: Pick<RunRecord, "metrics">): Scalar[] {
  const order = new PolicyOrder();
  return metrics.flatMap(({ line, record, finishedAt, seconds }) => {
    const place = placeOf(record, order);
    const began = finishedAt - seconds;
    const own = leaves(record).map(
      ([name, value]): Scalar => ({
        ...{ line, curve: place.curve, policy: place.policy, step: place.step, value, at: finishedAt },
        series: `${place.group}/${name}`,
      }),
    );
    const inner = Object.entries(record).flatMap(([key, list]) => {
      const points = pointsOf(list);
      const last = points.at(-1)?.step ?? 0;
      return points.flatMap(({ step, figures }) =>
        figures.map(
          ([name, value]): Scalar => ({
            line,
            curve: place.policy || place.group,
            series: `train/${key === "evaluations" ? name : `${key}/${name}`}`,
            policy: place.policy,
            step,
            value,
            at: last > 0 ? began + (seconds * step) / last : finishedAt,
          }),
        ),
      );
    });
    return [...own, ...inner];
  });
}

function placeOf(record: MetricRecord, order: PolicyOrder): Place {
  const name = String(record.step ?? "");
  const [, evaluated] = /^evaluate-(.+)$/.exec(name) ?? [];
  if (evaluated) return { ...order.of(evaluated), group: "evaluate", policy: evaluated };
  const [, kind = "", grow] = /^(grow|score|value|reward)-(\d+)$/.exec(name) ?? [];
  if (grow) return { curve: "run", group: kind, policy: "", step: Number(grow) };
  if (!parsePolicyName(name)) return { curve: "run", group: name || "run", policy: "", step: 0 };
  if (typeof record.batch === "number")
    return { curve: name, group: "train", policy: name, step: record.batch };
  return { ...order.of(name), group: "policy", policy: name };
}

/** Policies of the main line by the order in which the run came to them; a control stands where its counterpart does. */
class PolicyOrder {
  readonly #main = new Map<string, number>();

  of(name: string): { curve: string; step: number } {
    const counterpart = name.replace(/-random$/, "");
    const known = this.#main.get(counterpart) ?? this.#main.size;
    this.#main.set(counterpart, known);
    return { curve: counterpart === name ? "run" : "random", step: known };
  }
}

/** Numbers under their paths, `validation/bleu`; yes and no are 1 and 0. Lists of things with a kind are named by it. */
function leaves(value: MetricValue | MetricRecord | undefined, path = ""): [name: string, value: number][] {
  if (typeof value === "number") return [[path, value]];
  if (typeof value === "boolean") return [[path, Number(value)]];
  if (typeof value !== "object" || value === null) return [];
  const under = (key: string) => (path === "" ? key : `${path}/${key}`);
  if (isList(value))
    return value.flatMap((item) => {
      const kind = isRecord(item) ? item.kind : undefined;
      return typeof kind === "string" ? leaves(item, under(kind)) : [];
    });
  return Object.entries(value).flatMap(([key, item]) =>
    path === "" && PLACES.has(key) ? [] : leaves(item, path === "" && key === "time" ? "" : under(key)),
  );
}

/** What a training saw on its way: a list of things with a number of steps. */
function pointsOf(value: MetricValue | undefined): { step: number; figures: [string, number][] }[] {
  if (!isList(value)) return [];
  return value.flatMap((item) => {
    if (!isRecord(item) || typeof item.step !== "number") return [];
    return [{ step: item.step, figures: leaves(item) }];
  });
}

function isList(value: unknown): value is readonly MetricValue[] {
  return Array.isArray(value);
}

function isRecord(value: MetricValue): value is { readonly [key: string]: MetricValue } {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
