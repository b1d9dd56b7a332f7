/** sacreBLEU's tokenizer `13a`: what WMT has used since mteval-v13a, for languages written with spaces. */
import { separatePunctuation } from "./western.js";
import { splitWords } from "./whitespace.js";

const ENTITIES = [
  ["&quot;", '"'],
  ["&amp;", "&"],
  ["&lt;", "<"],
  ["&gt;", ">"],
] as const;

export function tokenize13a(line: string): string[] {
  let text = line.replaceAll("<skipped>", "").replaceAll("-\n", "").replaceAll("\n", " ");
  // In this order, so that `&amp;lt;` ends as `<`, as in sacreBLEU.
  for (const [entity, character] of ENTITIES) text = text.replaceAll(entity, character);
  return splitWords(separatePunctuation(` ${text} `));
}
