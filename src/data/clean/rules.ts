/** The rules that a corpus is cleaned by, in the order in which a pair meets them. */

import { normalized } from "../normalized.js";
import type { Pair } from "../pair.js";
import { countWords } from "../words.js";
import { plainText, withoutMarkup } from "./markup.js";
import { type CorpusProfile, inOtherScript, isAlphabet, lengthRatio } from "./profile.js";
import { SeenTexts } from "./seen.js";

/** Numbers that rules go by. */
export interface CleanLimits {
  /** Most words of a side; two Chinese characters count as one. */
  maxWords: number;
  /** How many times longer or shorter than usual a side may be beside the other. */
  maxRatio: number;
}

export const DEFAULT_LIMITS: CleanLimits = { maxWords: 150, maxRatio: 2.5 };

/** What late rules may look at beside the pair. */
interface Knowledge extends CleanLimits {
  /** What the corpus is usually like. */
  profile: CorpusProfile;
  /** `normalized` sentences of the test sets, both sides. */
  tested: ReadonlySet<string>;
}

type Judge = (pair: Pair) => boolean;

interface RuleAbout {
  /** What it does, for people. */
  what: string;
}

/** Changes pairs and drops none. */
interface Mend extends RuleAbout {
  mend: (text: string) => string;
}

/** Drops the pairs that the judge finds which it makes for a reading of the corpus. What it drops teaches the profile nothing. */
interface EarlyDrop extends RuleAbout {
  early: (limits: CleanLimits) => Judge;
}

/** The same once the profile is learned. */
interface LateDrop extends RuleAbout {
  late: (known: Knowledge) => Judge;
}

type Rule = Mend | EarlyDrop | LateDrop;

/**
 * Odds on the other side's language, in nats, that a sentence must show: many, since a good pair lost costs more than a bad one
 * kept. `npm run bench -- language` measures both.
 */
const AGAINST = 20;

/**
 * Standard deviations by which a side's letters may stand together more rarely than is usual there. Chosen on Tatoeba's
 * training text; `npm run bench -- language` measures what is dropped wrongly and what is found.
 */
const STRANGEST = 5;

/** Letters among the characters that are no spaces, at least. */
const LEAST_LETTERS = 1 / 3;

/** The rule that the readers of files find work for too. */
export const BROKEN = "broken";

export const RULES = {
  broken: {
    what: "rows that are no pair of sentences: an empty side, too many columns, damaged text",
    early: () => (pair) => isBroken(pair.source) || isBroken(pair.target),
  },
  unicode: { what: "composes characters, takes out invisible ones, folds spaces", mend: plainText },
  markup: {
    what: "takes out HTML tags, decodes &amp; and its like",
    mend: (text: string) => withoutMarkup(text).replace(/\s+/g, " ").trim(),
  },
  same: {
    what: "both sides are the same but for case and punctuation: not translated",
    early: () => (pair) => normalized(pair.source) === normalized(pair.target),
  },
  letters: {
    what: "less than a third of a side is letters: numbers, code, tables",
    early: () => (pair) =>
      letterShare(pair.source) < LEAST_LETTERS || letterShare(pair.target) < LEAST_LETTERS,
  },
  length: {
    what: "a side has more words than --max-words",
    early:
      ({ maxWords }) =>
      (pair) =>
        countWords(pair.source) > maxWords || countWords(pair.target) > maxWords,
  },
  ratio: {
    what: "one side is --max-ratio times longer beside the other than is usual in this corpus",
    late: ({ maxRatio, profile }) => {
      const farthest = Math.log(maxRatio);
      return (pair) => Math.abs(Math.log(lengthRatio(pair)) - profile.usualRatio) > farthest;
    },
  },
  language: {
    what: "a side is in the other side's language, or in another script than the rest of its side",
    late: ({ profile }) => {
      const { scripts, languages, byLetters } = profile;
      return ({ source, target }) =>
        inOtherScript(source, scripts.source) ||
        inOtherScript(target, scripts.target) ||
        (byLetters && (languages.evidence(source) < -AGAINST || languages.evidence(target) > AGAINST));
    },
  },
  foreign: {
    what: "a side reads like neither of the two languages: its letters stand together as they seldom do there",
    late: ({ profile: { scripts, languages } }) => {
      const strange = (text: string, side: keyof Pair) =>
        isAlphabet(scripts[side]) && languages.strangeness(text, side) > STRANGEST;
      return ({ source, target }) => strange(source, "source") || strange(target, "target");
    },
  },
  test: {
    what: "a side stands in a --test file too, but for case, spaces and final punctuation",
    late:
      ({ tested }) =>
      (pair) =>
        tested.has(normalized(pair.source)) || tested.has(normalized(pair.target)),
  },
  duplicates: {
    what: "the same pair came before, but for case, spaces and final punctuation",
    late: () => {
      const seen = new SeenTexts();
      return (pair) => !seen.add(`${normalized(pair.source)}\t${normalized(pair.target)}`);
    },
  },
} satisfies Record<string, Rule>;

export type RuleName = keyof typeof RULES;
export const ruleNames = Object.keys(RULES) as RuleName[];

/** What became of a pair. */
export interface Outcome {
  /** As mended. */
  pair: Pair;
  /** Rules that changed it. */
  changedBy: RuleName[];
  /** The first rule that drops it. */
  droppedBy?: RuleName;
}

/**
 * Meets a pair with the rules of `names`, in the table's order; without a profile, with those that need none. A pair of
 * which mending leaves nothing is broken, whether or not that rule is among them: it could not be written.
 */
export function rulesFor(
  names: ReadonlySet<RuleName>,
  limits: CleanLimits,
  learned?: Pick<Knowledge, "profile" | "tested">,
): (pair: Pair) => Outcome {
  const steps = ruleNames
    .filter((name) => names.has(name))
    .flatMap((name): ({ name: RuleName } & ({ mend: Mend["mend"] } | { drops: Judge }))[] => {
      const rule: Rule = RULES[name];
      if ("mend" in rule) return [{ name, mend: rule.mend }];
      if ("early" in rule) return [{ name, drops: rule.early(limits) }];
      return learned ? [{ name, drops: rule.late({ ...limits, ...learned }) }] : [];
    });
  return (given) => {
    let pair = given;
    const changedBy: RuleName[] = [];
    for (const step of steps) {
      if ("drops" in step) {
        if (step.drops(pair)) return { pair, changedBy, droppedBy: step.name };
        continue;
      }
      const mended = { source: step.mend(pair.source), target: step.mend(pair.target) };
      if (mended.source !== pair.source || mended.target !== pair.target) changedBy.push(step.name);
      pair = mended;
      if (pair.source === "" || pair.target === "") return { pair, changedBy, droppedBy: BROKEN };
    }
    return { pair, changedBy };
  };
}

function isBroken(text: string): boolean {
  return text.includes("\ufffd");
}

function letterShare(text: string): number {
  const visible = text.replace(/\s/g, "").length;
  return visible === 0 ? 0 : (text.match(/[\p{L}\p{M}]/gu)?.join("").length ?? 0) / visible;
}
