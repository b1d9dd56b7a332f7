/** Which policies of a summary play which part: the start, the steps of ReST, the random-selection controls. */

import type { PolicySummary, RunSummary } from "../store/summary.js";

/** What places a policy in its run. */
type Placed = Pick<PolicySummary, "name" | "grow" | "improve" | "control">;

/** What `evaluate.judge` is called; undefined where no policy has its figures. */
export function judgeName({
  policies,
}: {
  policies: readonly Pick<PolicySummary, "judge">[];
}): string | undefined {
  return policies.find(({ judge }) => judge)?.judge?.name;
}

/** The policies of ReST itself in the order they were made, the behaviour-cloning one first; controls left out. */
export function steps<P extends Placed>({ policies }: { policies: readonly P[] }): P[] {
  return policies
    .filter((policy) => !policy.control)
    .map((policy, order) => ({ policy, order }))
    .sort((a, b) => a.policy.grow - b.policy.grow || a.policy.improve - b.policy.improve || a.order - b.order)
    .map(({ policy }) => policy);
}

/** The policy that everything is compared with: `BC`, or else the first one before any Grow step. */
export function baseline<P extends Placed>(summary: { policies: readonly P[] }): P | undefined {
  const candidates = steps(summary);
  return candidates.find(({ name }) => name === "BC") ?? candidates.find(({ grow }) => grow === 0);
}

/** The last policy of ReST; absent when only BC has been evaluated. */
export function lastStep(summary: RunSummary): PolicySummary | undefined {
  const last = steps(summary).at(-1);
  return last === baseline(summary) ? undefined : last;
}

/**
 * Names of what was trained on candidates chosen at random. The way to a control is trained and not evaluated, so that its
 * Improve steps have no policy in the summary: their names say it.
 */
export function controlNames({ policies, improves }: RunSummary): ReadonlySet<string> {
  const evaluated = policies.filter(({ control }) => control).map(({ name }) => name);
  const trained = improves.map(({ policy }) => policy).filter((name) => name.endsWith("-random"));
  return new Set([...evaluated, ...trained]);
}

/** A policy trained on candidates chosen at random and the one trained on as many chosen by reward. */
export interface ControlPair {
  control: PolicySummary;
  selected: PolicySummary;
}

/** Every control that has a counterpart of the same Grow and Improve step. */
export function controlPairs(summary: RunSummary): ControlPair[] {
  const all = steps(summary);
  return summary.policies.flatMap((control) => {
    if (!control.control) return [];
    const selected = all.find(({ grow, improve }) => grow === control.grow && improve === control.improve);
    return selected === undefined ? [] : [{ control, selected }];
  });
}

/** Policies in the order of the table: each control right after its counterpart, lone controls last. */
export function inTableOrder(summary: RunSummary): PolicySummary[] {
  const pairs = controlPairs(summary);
  const ordered = steps(summary).flatMap((policy) => [
    policy,
    ...pairs.filter(({ selected }) => selected === policy).map(({ control }) => control),
  ]);
  return [...ordered, ...summary.policies.filter((policy) => !ordered.includes(policy))];
}
