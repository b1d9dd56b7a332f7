/** What is counted in texts before ratings are looked at, and the features that come of it. */

import { Lexicon, type StoredLexicon } from "./lexicon.js";
import { NgramModel, type StoredNgrams } from "./ngram-model.js";
import { charactersOf, wordsOf } from "./words.js";

/** Texts beside the rated ones. */
export interface ExtraTexts {
  /** In the language of the sources, and of the translations. */
  source: readonly string[];
  target: readonly string[];
  /** Human translations. */
  pairs: readonly { source: string; target: string }[];
}

interface Side {
  words: NgramModel;
  characters: NgramModel;
}

interface BothWays {
  /** t(target word | source word), and the other way round. */
  forward: Lexicon;
  backward: Lexicon;
}

const WORDS = 3;
const CHARACTERS = 4;
/** Corpora with more texts lose n-grams that occur once: the file stays small, and such n-grams say little. */
const LARGE = 20_000;

/** Tables of the rated texts themselves, and of the extra ones where there are any. */
export interface Tables {
  source: Side;
  target: Side;
  lexicon: BothWays;
  extraSource: Side | undefined;
  extraTarget: Side | undefined;
  extraLexicon: BothWays | undefined;
}

export interface StoredTables {
  source: StoredSide;
  target: StoredSide;
  lexicon: StoredBothWays;
  extraSource?: StoredSide;
  extraTarget?: StoredSide;
  extraLexicon?: StoredBothWays;
}

interface StoredSide {
  words: StoredNgrams;
  characters: StoredNgrams;
}

interface StoredBothWays {
  forward: StoredLexicon;
  backward: StoredLexicon;
}

interface TextPair {
  source: string;
  candidate: string;
}

export function learnTables(rated: readonly TextPair[], extra: ExtraTexts): Tables {
  const extraSource = [...extra.source, ...extra.pairs.map(({ source }) => source)];
  const extraTarget = [...extra.target, ...extra.pairs.map(({ target }) => target)];
  return {
    source: sideOf(rated.map(({ source }) => source)),
    target: sideOf(rated.map(({ candidate }) => candidate)),
    lexicon: learnLexicon(rated),
    extraSource: extraSource.length > 0 ? sideOf(extraSource) : undefined,
    extraTarget: extraTarget.length > 0 ? sideOf(extraTarget) : undefined,
    extraLexicon:
      extra.pairs.length > 0
        ? learnLexicon(extra.pairs.map(({ source, target }) => ({ source, candidate: target })))
        : undefined,
  };
}

function sideOf(texts: readonly string[]): Side {
  const least = texts.length > LARGE ? 2 : 1;
  return {
    words: NgramModel.of(texts.map(wordsOf), WORDS).pruned(least),
    characters: NgramModel.of(texts.map(charactersOf), CHARACTERS).pruned(least),
  };
}

export function learnLexicon(pairs: readonly TextPair[]): BothWays {
  const words = pairs.map(({ source, candidate }) => ({ from: wordsOf(source), to: wordsOf(candidate) }));
  return {
    forward: Lexicon.learn(words),
    backward: Lexicon.learn(words.map(({ from, to }) => ({ from: to, to: from }))),
  };
}

const LANGUAGE = ["mean", "lowest", "deviation", "sum", "share unknown"] as const;
const LEXICAL = ["mean", "lowest", "share unexplained", "mean of the best"] as const;

/** The names of `tableFeatures`, in order. */
export function tableFeatureNames({ extraSource, extraTarget, extraLexicon }: Tables): string[] {
  const language = (of: string) => LANGUAGE.map((what) => `${of}: ${what}`);
  const lexical = (of: string) => LEXICAL.map((what) => `${of}: ${what}`);
  return [
    ...["source words", "source characters", "candidate words", "candidate characters"].flatMap((of) =>
      language(`${of} among rated texts`),
    ),
    ...(extraSource
      ? ["words", "characters"].flatMap((of) => language(`source ${of} among other texts`))
      : []),
    ...(extraTarget
      ? ["words", "characters"].flatMap((of) => language(`candidate ${of} among other texts`))
      : []),
    ...["forward", "backward"].flatMap((of) => lexical(`${of} lexicon of rated texts`)),
    ...(extraLexicon ? ["forward", "backward"].flatMap((of) => lexical(`${of} lexicon of other pairs`)) : []),
  ];
}

/**
 * @param own the lexicon to use in place of the rated texts' own one: for a rated text, one that has not seen it
 * @param rated whether the text is among those that the tables were counted in: then they forget it meanwhile
 */
export function tableFeatures(
  { source, candidate }: TextPair,
  tables: Tables,
  { rated = false, own = tables.lexicon }: { rated?: boolean; own?: BothWays } = {},
): number[] {
  const from = wordsOf(source);
  const to = wordsOf(candidate);
  const side = (of: Side | undefined, words: string[], text: string, forget: boolean) =>
    of
      ? [
          ...languageFeatures(of.words, words, forget),
          ...languageFeatures(of.characters, charactersOf(text), forget),
        ]
      : [];
  const lexicon = (of: BothWays | undefined) =>
    of ? [...lexicalFeatures(of.forward, from, to), ...lexicalFeatures(of.backward, to, from)] : [];
  return [
    ...side(tables.source, from, source, rated),
    ...side(tables.target, to, candidate, rated),
    ...side(tables.extraSource, from, source, false),
    ...side(tables.extraTarget, to, candidate, false),
    ...lexicon(own),
    ...lexicon(tables.extraLexicon),
  ];
}

function languageFeatures(model: NgramModel, items: readonly string[], forget: boolean): number[] {
  if (forget) model.remove(items);
  const logs = model.logProbabilities(items);
  const unknown = items.filter((item) => !model.knows(item)).length / Math.max(1, items.length);
  if (forget) model.add(items);
  const sum = logs.reduce((total, one) => total + one, 0);
  const mean = sum / logs.length;
  const variance = logs.reduce((total, one) => total + (one - mean) ** 2, 0) / logs.length;
  return [mean, logs.reduce((least, one) => Math.min(least, one), 0), Math.sqrt(variance), sum, unknown];
}

/** A word that no source word explains to this much counts as unexplained. */
const EXPLAINED = 0.05;
/** So that a word the lexicon has never seen does not decide alone. */
const FLOOR = 1e-4;

/** How well `from` explains each word of `to`: IBM model 1, where a word that stands on both sides explains itself. */
function lexicalFeatures(lexicon: Lexicon, from: readonly string[], to: readonly string[]): number[] {
  if (to.length === 0) return [Math.log(FLOOR), Math.log(FLOOR), 1, 0];
  const copied = new Set(from);
  let sum = 0;
  let lowest = 0;
  let unexplained = 0;
  let bestSum = 0;
  for (const word of to) {
    let total = lexicon.probability(word, null);
    let best = copied.has(word) ? 1 : 0;
    for (const origin of from) {
      const probability = lexicon.probability(word, origin);
      total += probability;
      best = Math.max(best, probability);
    }
    const log = Math.log(Math.max(FLOOR, total / (from.length + 1)));
    sum += log;
    lowest = Math.min(lowest, log);
    unexplained += best < EXPLAINED ? 1 : 0;
    bestSum += best;
  }
  return [sum / to.length, lowest, unexplained / to.length, bestSum / to.length];
}

/** The most likely origin of each word of `to`, as `origin→word`; nothing for words without one. */
export function alignedWords(
  { forward }: BothWays,
  from: readonly string[],
  to: readonly string[],
): string[] {
  return to.flatMap((word) => {
    let best = 0;
    let found: string | undefined;
    for (const origin of from) {
      const probability = forward.probability(word, origin);
      if (probability > best) {
        best = probability;
        found = origin;
      }
    }
    return found === undefined ? [] : [`${found}→${word}`];
  });
}

export function storeTables(tables: Tables): StoredTables {
  const side = ({ words, characters }: Side) => ({ words: words.stored(), characters: characters.stored() });
  const both = ({ forward, backward }: BothWays) => ({
    forward: forward.stored(),
    backward: backward.stored(),
  });
  const { extraSource, extraTarget, extraLexicon } = tables;
  return {
    source: side(tables.source),
    target: side(tables.target),
    lexicon: both(tables.lexicon),
    ...(extraSource && { extraSource: side(extraSource) }),
    ...(extraTarget && { extraTarget: side(extraTarget) }),
    ...(extraLexicon && { extraLexicon: both(extraLexicon) }),
  };
}

export function loadTables(stored: StoredTables): Tables {
  const side = ({ words, characters }: StoredSide): Side => ({
    words: NgramModel.load(words),
    characters: NgramModel.load(characters),
  });
  const both = ({ forward, backward }: StoredBothWays): BothWays => ({
    forward: Lexicon.load(forward),
    backward: Lexicon.load(backward),
  });
  const { extraSource, extraTarget, extraLexicon } = stored;
  return {
    source: side(stored.source),
    target: side(stored.target),
    lexicon: both(stored.lexicon),
    extraSource: extraSource && side(extraSource),
    extraTarget: extraTarget && side(extraTarget),
    extraLexicon: extraLexicon && both(extraLexicon),
  };
}
