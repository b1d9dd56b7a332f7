/** Makes sentences of interface messages, and drops pairs that would teach a translator nothing. */

import type { Pair } from "../pair.js";
import { countWords } from "../words.js";

/** Source languages of the recipe: German, Chinese in simplified characters. */
export type SourceLanguage = "de" | "zh";

/** Longer messages are several sentences, more than the demo's model should see. */
const maxCharacters = 200;

/** Message without mark-up: access keys, icons, links, emphasis, line breaks. */
export function cleanMessage(message: string): string {
  return message
    .replace(/\s*\(&&?\w\)/g, "") // access key of a Chinese menu: 文件(&&F)
    .replace(/&&(?=\S)/g, "") // access key inside a word: &&File
    .replace(/\$\([\w-]+(~\w+)?\)/g, "") // icon: $(info)
    .replace(/\[([^\][]+)\]\([^()\s]*\)/g, "$1") // link: [text](address)
    .replace(/\*\*(\S[^*]*\S|\S)\*\*/g, "$1") // emphasis: **text**
    .replace(/\s+/g, " ")
    .trim();
}

/** True for a pair, cleaned, that is worth learning from. */
export function worthLearning({ source, target }: Pair, language: SourceLanguage): boolean {
  if (source.toLowerCase() === target.toLowerCase()) return false;
  if (source.length > maxCharacters || target.length > maxCharacters) return false;
  if (isPlural(source) || isPlural(target)) return false;
  if (!isMostlyWords(source) || !isMostlyWords(target)) return false;
  if (!/[a-z]{2}/i.test(target)) return false;
  if (language === "zh" && !/\p{Script=Han}/u.test(source)) return false;
  // Messages of one meaning hold the same values; where they don't, the catalogues were out of step.
  if (placeholdersOf(source) !== placeholdersOf(target)) return false;
  // One Chinese character says about as much as three English letters; the 12 spares short messages.
  const ratio = (source.length * (language === "zh" ? 3 : 1) + 12) / (target.length + 12);
  return ratio > 0.45 && ratio < 2.2;
}

/** Words on either side, the larger number; two Chinese characters count as a word. */
export function wordsOf({ source, target }: Pair): number {
  return Math.max(...[source, target].map(countWords));
}

/** A value that the program fills in: {0}, {name}, ${data.x}, __name__. */
const placeholder = /\$?\{[^{}]*\}|\{\{[^{}]*\}\}|__\w+__/g;
/** Code: quoted by backticks, options, addresses, names with dots or underscores, names like `tabSize`. */
const code = /`[^`]*`|https?:\S+|(?<!\S)--?\w\S*|\S*\w[._:]\w\S*|(?<![\p{L}\d])[a-z]+[A-Z]\w*/gu;

function isMostlyWords(text: string): boolean {
  const words = text.replace(placeholder, " ").replace(code, " ");
  const letters = words.match(/\p{L}/gu)?.length ?? 0;
  return letters >= 2 && letters >= text.replace(/\s/g, "").length / 2;
}

function isPlural(text: string): boolean {
  return /\{\s*\w+\s*,\s*(plural|select|number|date)/.test(text);
}

function placeholdersOf(text: string): string {
  return [...new Set(text.match(placeholder) ?? [])].sort().join(" ");
}
