/** What an answer comes to: the number that it ends on, or its text. */

/** `1,234.5`, `−3`, `$ 20`; a sign stands right before its number and behind nothing that it could subtract from. */
const NUMBER = String.raw`(?:(?<![\w)\]%.])[-−–])?(?:[$€£]\s?)?(?:\d{1,3}(?:,\d{3})+|\d+)(?:\.\d+)?|(?<![\d.])\.\d+`;
const BOXED = /\\boxed\s*\{([^{}]*)\}/g;
const MARKED = new RegExp(String.raw`####\s*(${NUMBER})`, "g");
const SAID = new RegExp(
  String.raw`\banswer\b(?:\s+(?:is|to|of|would|be|the|question|problem)|\s*[:=*_\s])*\s*(${NUMBER})`,
  "gi",
);
const ANY = new RegExp(NUMBER, "g");

/**
 * The number that a worked answer ends on: the last in `\boxed{…}`, or else behind `####` (GSM8K), or else behind "answer
 * is" or "answer:", or else the last of all. Undefined where there is none. Fractions and words are not read.
 *
 * @example finalNumber("3 + 4 = 7, so the answer is $7.00.") // 7
 */
export function finalNumber(text: string): number | undefined {
  const boxed = [...text.matchAll(BOXED)].at(-1)?.[1];
  const inside = boxed === undefined ? undefined : lastIn(ANY, boxed);
  return inside ?? lastIn(MARKED, text) ?? lastIn(SAID, text) ?? lastIn(ANY, text);
}

function lastIn(pattern: RegExp, text: string): number | undefined {
  const last = [...text.matchAll(pattern)].at(-1);
  if (last === undefined) return undefined;
  const value = Number((last[1] ?? last[0]).replace(/[$€£,\s]/g, "").replace(/[−–]/, "-"));
  // −0 and 0 are one answer.
  return value === 0 ? 0 : value;
}

export type AnswerKind = "number" | "text";

/** What two answers are compared by; undefined where a text gives no answer. Numbers are equal to nine digits. */
export function answerIn(kind: AnswerKind, text: string): string | undefined {
  if (kind === "text") {
    const plain = text.trim().replace(/\s+/g, " ");
    return plain === "" ? undefined : plain;
  }
  const value = finalNumber(text);
  return value === undefined ? undefined : String(Number(value.toPrecision(9)));
}
