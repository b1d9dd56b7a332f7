/** Finds string literals in JavaScript that is read as data and never run. */

export interface Literal {
  value: string;
  /** Index of the first character after it. */
  end: number;
}

/** The literal that starts at `at`, or literals joined by `+`; undefined for anything that would have to be run. */
export function readString(code: string, at: number): Literal | undefined {
  let literal = readLiteral(code, at);
  while (literal) {
    const plus = /\s*\+\s*/y;
    plus.lastIndex = literal.end;
    if (!plus.test(code)) return literal;
    const next = readLiteral(code, plus.lastIndex);
    literal = next && { value: literal.value + next.value, end: next.end };
  }
  return undefined;
}

function readLiteral(code: string, at: number): Literal | undefined {
  const quote = code[at];
  if (quote !== '"' && quote !== "'" && quote !== "`") return undefined;
  let value = "";
  for (let i = at + 1; i < code.length; i++) {
    const character = code[i] ?? "";
    if (character === quote) return { value, end: i + 1 };
    if (quote === "`" && character === "$" && code[i + 1] === "{") return undefined;
    if (quote !== "`" && character === "\n") return undefined;
    if (character !== "\\") {
      value += character;
      continue;
    }
    escapeSequence.lastIndex = i;
    const [whole = "\\", hex2, hex4, hexAny, line, other = ""] = escapeSequence.exec(code) ?? [];
    const hex = hex2 ?? hex4 ?? hexAny;
    if (hex !== undefined) {
      const point = Number.parseInt(hex, 16);
      // No JavaScript: there is no such character.
      if (point > 0x10ffff) return undefined;
      value += String.fromCodePoint(point);
    } else if (line === undefined) value += controls[other] ?? other;
    i += whole.length - 1;
  }
  return undefined;
}

// ECMA-262 12.9.4: \xHH, \uHHHH, \u{H…}, a line continuation, or one character.
const escapeSequence = /\\(?:x([\da-f]{2})|u([\da-f]{4})|u\{([\da-f]{1,6})\}|(\r\n|\n)|([\s\S]))/giy;
const controls: Record<string, string> = { n: "\n", r: "\r", t: "\t", b: "\b", f: "\f", v: "\v", 0: "\0" };
