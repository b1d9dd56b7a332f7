/** Which items a round of ratings has, and in which order: decided once, by seed, before anybody rates. */

import { createHash } from "node:crypto";
import { hashUnit } from "../data/hash.js";
import { UserError } from "../errors.js";
import type { Item, Output, Round } from "./round.js";

/** A source with what each policy wrote for it. */
export interface RatableSource {
  /** Its place in the evaluated part, from 0. */
  id: number;
  source: string;
  reference: string;
  outputs: readonly { policy: string; text: string; reward: number }[];
}

/** A source with its human translation and damaged versions of that. */
export interface CheckableSource {
  id: number;
  source: string;
  reference: string;
  damaged: readonly { kind: string; text: string }[];
}

export interface PlanOptions {
  seed: number;
  policies: readonly string[];
  /** Sources to rate, from 1. */
  items: number;
  /** Items shown a second time; at most a third of `items` are. */
  repeats: number;
  /** Items of a human translation beside damaged ones. */
  checks: number;
}

/** Who wrote the human translation of a check. */
export const HUMAN = "human";

/** Who wrote a damaged translation: `damaged:shuffled`. */
export const DAMAGED = "damaged:";

/**
 * Chooses `items` of `sources` by seed, and as many checks of `checkable` as asked for, of sources that no item has as
 * long as there are any. A source that occurs twice counts once. The first third of the items gives the repeats, which
 * stand in the last third: so many others lie between the two that a rater judges anew. Checks stand anywhere. Every
 * rater gets the same sequence, so that raters who do not finish have rated the same items; the order of the outputs is
 * drawn for each rater (`shownOrder`).
 *
 * Throws a UserError where there are fewer sources than items.
 */
export function planRound(
  sources: readonly RatableSource[],
  checkable: readonly CheckableSource[],
  { seed, policies, items, repeats, checks }: PlanOptions,
): Omit<Round, "createdAt"> {
  const chosen = drawn(sources, seed, "item");
  if (chosen.length < items)
    throw new UserError(
      `${items} items were asked for, but only ${chosen.length} different sources were evaluated. ` +
        `Give --items ${chosen.length} or fewer.`,
    );
  const rated = chosen.slice(0, items);
  const taken = new Set(rated.map(({ source }) => source));
  const spare = drawn(checkable, seed, "check");
  const checked = [
    ...spare.filter(({ source }) => !taken.has(source)),
    ...spare.filter(({ source }) => taken.has(source)),
  ].slice(0, checks);

  const third = Math.floor(items / 3);
  const sequence = [
    ...rated.map((source, i) => ({ at: i, item: ratedItem(source, "item") })),
    ...rated.slice(0, Math.min(third, repeats)).map((source) => ({
      at: items - third + third * hashUnit(seed, "repeat", source.id),
      item: ratedItem(source, "repeat"),
    })),
    ...checked.map((source) => ({
      at: items * hashUnit(seed, "place", source.id),
      item: checkItem(source),
    })),
  ];
  const plan = {
    format: 1 as const,
    seed,
    policies: [...policies],
    items: sequence.sort((a, b) => a.at - b.at).map(({ item }) => item),
  };
  return { ...plan, id: createHash("sha256").update(JSON.stringify(plan)).digest("hex").slice(0, 12) };
}

/** Sources in a random order, each text once. */
function drawn<Source extends { id: number; source: string }>(
  sources: readonly Source[],
  seed: number,
  use: string,
): Source[] {
  const seen = new Set<string>();
  return sources
    .filter(({ source }) => !seen.has(source) && seen.add(source))
    .map((source) => ({ source, at: hashUnit(seed, use, source.id) }))
    .sort((a, b) => a.at - b.at)
    .map(({ source }) => source);
}

function ratedItem({ id, source, reference, outputs }: RatableSource, kind: "item" | "repeat"): Item {
  return {
    kind,
    sourceId: id,
    source,
    reference,
    outputs: distinct(outputs.map(({ policy, text, reward }) => ({ writers: [policy], text, reward }))),
  };
}

function checkItem({ id, source, reference, damaged }: CheckableSource): Item {
  return {
    kind: "check",
    sourceId: id,
    source,
    reference,
    outputs: distinct([
      { writers: [HUMAN], text: reference, reward: null },
      ...damaged.map(({ kind, text }) => ({ writers: [DAMAGED + kind], text, reward: null })),
    ]),
  };
}

/** Outputs that read alike as one, of all that wrote it. White space apart: nobody could tell them apart on a page. */
function distinct(outputs: readonly Output[]): Output[] {
  const byText = new Map<string, Output>();
  for (const output of outputs) {
    const plain = output.text.normalize("NFC").replace(/\s+/gu, " ").trim();
    const known = byText.get(plain);
    if (known) known.writers.push(...output.writers);
    else byText.set(plain, { ...output, writers: [...output.writers] });
  }
  return [...byText.values()];
}

/**
 * The order in which a rater sees the outputs of an item: places in `outputs`. Drawn for each rater and showing, so that
 * no policy stands on the left more often, and a repeat does not look like its first showing.
 */
export function shownOrder(round: Pick<Round, "seed" | "items">, item: number, rater: string): number[] {
  return round.items[item]!.outputs.map((_, output) => ({
    output,
    at: hashUnit(round.seed, "shown", rater, item, output),
  }))
    .sort((a, b) => a.at - b.at)
    .map(({ output }) => output);
}
