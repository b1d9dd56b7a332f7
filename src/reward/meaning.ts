/** Small edits that turn a text's meaning: its numbers and its negation, in English, German and Chinese. */

import { integerBelow, type Key, permutation, threefry } from "../tensor/random.js";

/** Number words that stand for nothing else in running text; 一 and "one" mean too many other things. */
const NUMBER_WORDS: readonly (readonly string[])[] = [
  ["two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "twelve"],
  ["zwei", "drei", "vier", "fünf", "sechs", "sieben", "acht", "neun", "zehn", "zwölf"],
];
const NUMBER_CHARACTERS = Array.from("二三四五六七八九");

const NUMBER = new RegExp(
  `\\d+|(?<!\\p{L})(?:${NUMBER_WORDS.flat().join("|")})(?!\\p{L})|[${NUMBER_CHARACTERS.join("")}]`,
  "giu",
);

/** `text` with the share `strength` of its numbers changed, one at least; undefined where it has none. */
export function changeNumbers(text: string, strength: number, key: Key): string | undefined {
  const found = Array.from(text.matchAll(NUMBER));
  if (found.length === 0) return undefined;
  const size = Math.max(1, Math.round(strength * found.length));
  const changed = new Set(permutation(threefry(key, 0, 0), found.length).subarray(0, size));
  let index = 0;
  return text.replace(NUMBER, (number) => {
    const at = index++;
    return changed.has(at) ? otherNumber(number, threefry(key, 1, at)) : number;
  });
}

function otherNumber(number: string, key: Key): string {
  if (/^\d/u.test(number)) {
    const place = integerBelow(key, 0, number.length);
    // The first digit of a longer number stays above 0: 0375 for 1375 would be a slip of the pen.
    const digits = place === 0 && number.length > 1 ? "123456789" : "0123456789";
    return (
      number.slice(0, place) + anotherOf(Array.from(digits), number[place]!, key) + number.slice(place + 1)
    );
  }
  const lower = number.toLowerCase();
  const list = NUMBER_WORDS.find((words) => words.includes(lower)) ?? NUMBER_CHARACTERS;
  const other = anotherOf(list, lower, key);
  return number === lower ? other : other[0]!.toUpperCase() + other.slice(1);
}

/** One of `choices` that is not `current`. */
function anotherOf(choices: readonly string[], current: string, key: Key): string {
  const others = choices.filter((choice) => choice !== current);
  return others[integerBelow(key, 1, others.length)]!;
}

type Edit = readonly [find: RegExp, replacement: string];

/** Takes a negation out or, failing that, puts one in; the first edit that fits is done, once. */
const NEGATION: Record<"english" | "german" | "chinese", readonly Edit[]> = {
  english: [
    [/(?<!\p{L})(can)(?:not|['’]t)(?!\p{L})/iu, "$1"],
    [/(?<!\p{L})won['’]t(?!\p{L})/u, "will"],
    [/n['’]t(?!\p{L})/u, ""],
    [/\s+not(?!\p{L})/u, ""],
    [
      /(?<!\p{L})(is|are|was|were|can|could|will|would|should|must|has|have|had|does|did|do|may)(?!['’\p{L}])/iu,
      "$1 not",
    ],
  ],
  german: [
    [/\s+nicht(?!\p{L})/u, ""],
    [/(?<!\p{L})kein(e[mnrs]?)?(?!\p{L})/u, "ein$1"],
    [/(?<!\p{L})Kein(e[mnrs]?)?(?!\p{L})/u, "Ein$1"],
    [
      /(?<!\p{L})(ist|sind|war|waren|kann|können|wird|werden|will|hat|haben|muss|müssen|darf)(?!\p{L})/iu,
      "$1 nicht",
    ],
    [/(?<!\p{L})ein(e[mnrs]?)?(?!\p{L})/u, "kein$1"],
    [/(?<!\p{L})Ein(e[mnrs]?)?(?!\p{L})/u, "Kein$1"],
  ],
  chinese: [
    [/没有/u, "有"],
    [/不|没|未/u, ""],
    [/可以|能|会|是/u, "不$&"],
    [/有/u, "没有"],
  ],
};

const ENGLISH = /(?<!\p{L})(?:the|of|and|to|a|an|is|are|in|on|with|for|you|it|this|that|not)(?!\p{L})/giu;
const GERMAN =
  /(?<!\p{L})(?:der|die|das|und|ein|eine|ist|sind|im|auf|mit|für|den|nicht|kein|keine|sie|es|zu)(?!\p{L})/giu;

/** `text` denied, or its denial taken back; undefined where the language or a place for it is not recognised. */
export function changeNegation(text: string): string | undefined {
  const language = languageOf(text);
  if (!language) return undefined;
  const edit = NEGATION[language].find(([find]) => find.test(text));
  return edit && text.replace(edit[0], edit[1]);
}

/** By function words: "hat" and "war" are nouns in one language and verbs in the other. */
function languageOf(text: string): keyof typeof NEGATION | undefined {
  if (/[\p{Script=Hiragana}\p{Script=Katakana}]/u.test(text)) return undefined;
  if (/\p{Script=Han}/u.test(text)) return "chinese";
  const english = text.match(ENGLISH)?.length ?? 0;
  const german = text.match(GERMAN)?.length ?? 0;
  if (english === german) return undefined;
  return english > german ? "english" : "german";
}
