/**
 * Damaged translations: what a learned reward must tell from good ones, and what any reward is probed with.
 * Damages work on words where words are spaced and on characters where they are not (Chinese, Japanese, Thai).
 */

import type { Pair } from "../data/pair.js";
import { UserError } from "../errors.js";
import { integerBelow, type Key, permutation, threefry, uniform } from "../tensor/random.js";
import { changeNegation, changeNumbers } from "./meaning.js";
import { changeName, corpusNames } from "./names.js";
import { joinUnits, type Unit, unitsOf } from "./units.js";

/** What a learned reward is taught with. */
export const DAMAGE_KINDS = [
  "dropped",
  "doubled",
  "swapped",
  "repeatedSpan",
  "cut",
  "inventedTail",
  "copiedSource",
  "otherTranslation",
  "garbled",
  "oneWord",
  "numbers",
  "negation",
] as const;

/** What a reward is probed with: the lessons, and damages that no reward was taught. New kinds go to the end: draws follow from their place. */
export const PROBE_KINDS = [...DAMAGE_KINDS, "shuffled", "names", "wrongLanguage", "empty"] as const;

export type DamageKind = (typeof PROBE_KINDS)[number];

export interface DamagedPair {
  source: string;
  candidate: string;
  reference: string;
  kind: DamageKind;
  /** Share of the text that the damage was asked to reach, in (0, 1]; 1 where the kind has no degree. */
  strength: number;
}

export interface DamageOptions {
  /** Damaged candidates wanted for each pair. */
  perPair: number;
  /** The kinds to draw from; `DAMAGE_KINDS` when absent. */
  kinds?: readonly DamageKind[];
  /** Strengths are drawn uniformly from this range; [0.1, 0.6] when absent. */
  strength?: readonly [number, number];
}

/** What a damage works on: one pair, another one of the corpus, and its own stream of random numbers. */
interface Subject {
  pair: Pair;
  units: readonly Unit[];
  strength: number;
  key: Key;
  /** Finds a pair with another source and another target, where the corpus has one. */
  other: () => Pair | undefined;
  /** The names of the corpus. */
  names: () => readonly string[];
}

/** The damaged text, or undefined where this kind cannot be done to this text. */
type Damage = (subject: Subject) => string | undefined;

const damages: Record<DamageKind, Damage> = {
  dropped: ({ units, strength, key }) => {
    if (units.length < 2) return undefined;
    const gone = chosen(units.length, amount(units.length - 1, strength), key);
    return joinUnits(units.filter((_, i) => !gone.has(i)));
  },

  doubled: ({ units, strength, key }) => {
    const twice = chosen(units.length, amount(units.length, strength), key);
    return joinUnits(units.flatMap((unit, i) => (twice.has(i) ? [unit, unit] : [unit])));
  },

  swapped: ({ units, strength, key }) => {
    const order = [...units];
    // Each swap moves two units; a place is used once, so that no swap undoes another.
    const places = permutation(key, units.length);
    const moved = 2 * Math.max(1, Math.round((strength * units.length) / 2));
    for (let i = 0; i + 1 < Math.min(moved, places.length); i += 2) {
      const a = places[i]!;
      const b = places[i + 1]!;
      [order[a], order[b]] = [order[b]!, order[a]!];
    }
    return joinUnits(order);
  },

  // What a decoder does that is caught in a loop.
  repeatedSpan: ({ units, strength, key }) => {
    const length = Math.min(units.length, Math.max(2, amount(units.length, strength)));
    const start = integerBelow(key, 0, units.length - length + 1);
    const span = units.slice(start, start + length);
    const times = 1 + integerBelow(key, 1, 2);
    const repeats = Array.from({ length: times }, () => span).flat();
    return joinUnits([...units.slice(0, start + length), ...repeats, ...units.slice(start + length)]);
  },

  cut: ({ units, strength }) =>
    units.length < 2
      ? undefined
      : joinUnits(units.slice(0, units.length - amount(units.length - 1, strength))),

  inventedTail: ({ pair, units, strength, other }) => {
    const foreign = unitsOf(other()?.target ?? "");
    if (foreign.length === 0) return undefined;
    const tail = foreign.slice(-Math.max(2, amount(units.length, strength)));
    // A full stop in the middle would give the damage away.
    const body = pair.target.trimEnd().replace(TERMINAL, "");
    return joinUnits([...unitsOf(body), ...tail]);
  },

  copiedSource: ({ pair }) => pair.source,

  otherTranslation: ({ other }) => other()?.target,

  garbled: ({ pair, strength, key }) => garble(pair.target, strength, key),

  oneWord: ({ units, key }) =>
    units.length < 2 ? undefined : units[integerBelow(key, 0, units.length)]!.text,

  numbers: ({ pair, strength, key }) => changeNumbers(pair.target, strength, key),

  negation: ({ pair }) => changeNegation(pair.target),

  shuffled: ({ units, key }) =>
    units.length < 2
      ? undefined
      : joinUnits(Array.from(permutation(key, units.length), (place) => units[place]!)),

  names: ({ pair, names, key }) => changeName(pair.target, names(), key),

  // The text of another source: the right language of the wrong side, and the wrong content.
  wrongLanguage: ({ other }) => other()?.source,

  empty: () => "",
};

/** The lookbehind keeps long runs of dots from being tried from each of their dots. */
const TERMINAL = /(?<![.!?…。！？])[.!?…。！？]+$/u;

/** Kinds that are done whole or not at all. */
const WITHOUT_DEGREE: ReadonlySet<DamageKind> = new Set([
  "copiedSource",
  "otherTranslation",
  "oneWord",
  "negation",
  "shuffled",
  "names",
  "wrongLanguage",
  "empty",
]);

/**
 * Up to `perPair` damaged candidates for each pair, in the order of `pairs`: fewer where a text is too short for
 * more. The kinds of a pair are drawn without repetition as long as they last. No candidate equals its reference
 * (white space apart) or another candidate of the same pair. The same pairs, key and options give the same
 * candidates.
 *
 * Throws a UserError where `perPair` is not a whole number from 1, no kind is given, or the strengths are not in (0, 1].
 *
 * @example const damaged = [...damagedPairs(pairs, deriveKey(seed, 7), { perPair: 3 })];
 */
export function* damagedPairs(
  pairs: readonly Pair[],
  key: Key,
  options: DamageOptions,
): Generator<DamagedPair, void, undefined> {
  const kinds = options.kinds ?? DAMAGE_KINDS;
  const [weakest, strongest] = options.strength ?? [0.1, 0.6];
  checkOptions(options.perPair, kinds, weakest, strongest);
  let known: readonly string[] | undefined;
  const names = () => {
    known ??= corpusNames(pairs);
    return known;
  };

  for (let index = 0; index < pairs.length; index++) {
    const pair = pairs[index]!;
    const units = unitsOf(pair.target);
    if (units.length === 0) continue;
    const pairKey = threefry(key, index, 0);
    const seen = new Set([plain(pair.target)]);
    // Two rounds through the kinds: the second one fills up where some kinds cannot be done.
    const rounds = 2 * Math.ceil(options.perPair / kinds.length);
    let found = 0;
    for (let round = 0; round < rounds && found < options.perPair; round++) {
      for (const kindIndex of permutation(threefry(pairKey, round, 1), kinds.length)) {
        if (found === options.perPair) break;
        const kind = kinds[kindIndex]!;
        const drawKey = threefry(pairKey, round, 2 + PROBE_KINDS.indexOf(kind));
        const strength = WITHOUT_DEGREE.has(kind)
          ? 1
          : weakest + (strongest - weakest) * uniform(threefry(drawKey, 0, 0), 0);
        const candidate = damages[kind]({
          pair,
          units,
          strength,
          key: threefry(drawKey, 1, 0),
          other: () => otherPair(pairs, index, threefry(drawKey, 2, 0)),
          names,
        });
        if (candidate === undefined || seen.has(plain(candidate))) continue;
        if (plain(candidate) === "" && kind !== "empty") continue;
        seen.add(plain(candidate));
        found++;
        yield { source: pair.source, candidate, reference: pair.target, kind, strength };
      }
    }
  }
}

function checkOptions(
  perPair: number,
  kinds: readonly DamageKind[],
  weakest: number,
  strongest: number,
): void {
  if (!Number.isInteger(perPair) || perPair < 1) {
    throw new UserError(`damages for each pair are ${perPair} but must be a whole number from 1; correct it`);
  }
  if (kinds.length === 0) throw new UserError("no kind of damage is given; name at least one");
  if (!(weakest > 0 && weakest <= strongest && strongest <= 1)) {
    throw new UserError(
      `the strength of damages is [${weakest}, ${strongest}] but must rise within (0, 1]; correct it`,
    );
  }
}

/** A pair whose source and target both differ from those of `pairs[index]`: a paraphrase is no damage. */
function otherPair(pairs: readonly Pair[], index: number, key: Key): Pair | undefined {
  const pair = pairs[index]!;
  for (let attempt = 0; attempt < 8; attempt++) {
    const other = pairs[integerBelow(key, attempt, pairs.length)]!;
    if (plain(other.source) !== plain(pair.source) && plain(other.target) !== plain(pair.target))
      return other;
  }
  return undefined;
}

/** Share `strength` of `count` as a whole number from 1 to `count`. */
function amount(count: number, strength: number): number {
  return Math.min(count, Math.max(1, Math.round(strength * count)));
}

/** `size` of the numbers 0 to count − 1. */
function chosen(count: number, size: number, key: Key): Set<number> {
  return new Set(permutation(key, count).subarray(0, size));
}

/**
 * `text` with the share `strength` of its letters and digits replaced by another one of the text (so that the
 * script stays), left out, or exchanged with the next.
 */
function garble(text: string, strength: number, key: Key): string | undefined {
  const characters = Array.from(text);
  const places = characters.flatMap((character, i) => (/[\p{L}\p{N}]/u.test(character) ? [i] : []));
  if (places.length === 0) return undefined;
  const alphabet = [...new Set(places.map((place) => characters[place]!))];
  const size = amount(places.length, strength);
  for (const place of chosen(places.length, size, threefry(key, 0, 0))) {
    const at = places[place]!;
    const draw = threefry(key, 1, place);
    const next = characters[at + 1];
    const action = integerBelow(draw, 0, 3);
    if (action === 0 && alphabet.length > 1) {
      const others = alphabet.filter((letter) => letter !== characters[at]);
      characters[at] = others[integerBelow(draw, 1, others.length)]!;
    } else if (action === 1 && next !== undefined) {
      characters[at + 1] = characters[at]!;
      characters[at] = next;
    } else {
      characters[at] = "";
    }
  }
  return characters.join("");
}

/** A text as far as damages tell texts apart: how it is spaced does not count. */
function plain(text: string): string {
  return text.replace(/\s+/gu, " ").trim();
}
