/** What a corpus is usually like, learned from a sample of it, so that rules can tell what is unusual. */

import { type LanguageProfiles, learnLanguages } from "../language.js";
import type { Pair } from "../pair.js";

/** Share of held-out sentences that must be told right before the languages are judged by. */
const LEAST_TOLD_APART = 0.95;

/** Letters of writing systems. Japanese stands in three; its kana are what tells it from Chinese. */
const SCRIPTS = {
  Latin: /\p{Script=Latin}/gu,
  Han: /\p{Script=Han}/gu,
  Kana: /[\p{Script=Hiragana}\p{Script=Katakana}]/gu,
  Cyrillic: /\p{Script=Cyrillic}/gu,
  Arabic: /\p{Script=Arabic}/gu,
  Greek: /\p{Script=Greek}/gu,
  Hebrew: /\p{Script=Hebrew}/gu,
  Devanagari: /\p{Script=Devanagari}/gu,
  Hangul: /\p{Script=Hangul}/gu,
  Thai: /\p{Script=Thai}/gu,
};
type Script = keyof typeof SCRIPTS;
/** Those with few letters, which stand together in every language in its own way. */
const ALPHABETS: readonly (Script | undefined)[] = [
  "Latin",
  "Cyrillic",
  "Arabic",
  "Greek",
  "Hebrew",
  "Devanagari",
];
const scriptNames = Object.keys(SCRIPTS) as Script[];

/** Share of a text's letters in its side's usual script, below which it is in another one. Names in Latin letters are many. */
const LEAST_USUAL = 0.1;

export interface CorpusProfile {
  /** Median of the logarithm of `lengthRatio`. */
  readonly usualRatio: number;
  readonly languages: LanguageProfiles;
  /**
   * Whether sentences can be judged by their letters: not where the two languages look alike (numbers, one language twice),
   * and not where scripts tell them apart, since names of products in Latin letters would count as English.
   */
  readonly byLetters: boolean;
  /** The script that most sentences of each side are written in; undefined where they have no letters. */
  readonly scripts: { source: Script | undefined; target: Script | undefined };
}

export function learnProfile(sample: readonly Pair[]): CorpusProfile {
  const languages = learnLanguages(sample);
  const ratios = sample.map((pair) => Math.log(lengthRatio(pair))).sort((a, b) => a - b);
  const scripts = {
    source: commonest(sample.map((pair) => scriptOf(pair.source))),
    target: commonest(sample.map((pair) => scriptOf(pair.target))),
  };
  return {
    usualRatio: ratios[Math.floor(ratios.length / 2)] ?? 0,
    languages,
    byLetters: languages.heldOut >= LEAST_TOLD_APART && scripts.source === scripts.target,
    scripts,
  };
}

/** Added to both lengths, so that "Ja" and "Yes, please" may differ more than sentences do. */
const SPARED = 15;

/** Characters of the source over those of the target, short texts spared. */
export function lengthRatio({ source, target }: Pair): number {
  return (source.length + SPARED) / (target.length + SPARED);
}

/** Whether a text has letters, and next to none of them are of the script that is usual on its side. */
export function inOtherScript(text: string, usual: Script | undefined): boolean {
  if (usual === undefined) return false;
  const letters = lettersOf(text, /\p{L}/gu);
  return letters > 0 && lettersOf(text, SCRIPTS[usual]) < LEAST_USUAL * letters;
}

function lettersOf(text: string, kind: RegExp): number {
  return text.match(kind)?.length ?? 0;
}

/** Whether a script's words are spelt by an alphabet. */
export function isAlphabet(script: Script | undefined): boolean {
  return ALPHABETS.includes(script);
}

/** The script of most of a text's letters; undefined where it has none of a script that is known. */
function scriptOf(text: string): Script | undefined {
  const [first] = scriptNames
    .map((script) => ({ script, found: lettersOf(text, SCRIPTS[script]) }))
    .sort((a, b) => b.found - a.found);
  return first && first.found > 0 ? first.script : undefined;
}

function commonest(scripts: readonly (Script | undefined)[]): Script | undefined {
  const counts = new Map<Script, number>();
  for (const script of scripts) if (script) counts.set(script, (counts.get(script) ?? 0) + 1);
  return [...counts].sort((a, b) => b[1] - a[1])[0]?.[0];
}

/** Every so many-th of what it is given, evenly over all, however many come: between `size` and twice that. */
export class EvenSample<T> {
  readonly kept: T[] = [];
  #stride = 1;
  #given = 0;

  constructor(private readonly size: number) {}

  add(item: T): void {
    if (this.#given++ % this.#stride !== 0) return;
    this.kept.push(item);
    if (this.kept.length < 2 * this.size) return;
    this.#stride *= 2;
    const half = this.kept.filter((_, index) => index % 2 === 0);
    this.kept.splice(0, this.kept.length, ...half);
  }
}
