/** Makes text that came from a model or a file safe to print: on a page, in Markdown, on a terminal. */

/**
 * Characters that act on the text around them instead of being seen: control characters (a terminal obeys
 * them), bidirectional embeddings, overrides and isolates (they reorder what follows), line and paragraph separators,
 * tag characters, and halves of surrogate pairs. Zero-width joiners and direction marks stay: scripts need them.
 */
const ACTING = /[\p{Cc}\p{Cs}\u2028\u2029\u202a-\u202e\u2066-\u2069\ufeff\u{e0000}-\u{e007f}]/gu;

/** `text` with every acting character written out as its code point, as in `[U+202E]`; white space becomes one space. */
export function visible(text: string): string {
  return text
    .replace(/[\t\n\r]+/g, " ")
    .replace(
      ACTING,
      (character) => `[U+${character.codePointAt(0)!.toString(16).toUpperCase().padStart(4, "0")}]`,
    );
}

const ENTITIES: Record<string, string> = {
  "&": "&amp;",
  "<": "&lt;",
  ">": "&gt;",
  '"': "&quot;",
  "'": "&#39;",
};

/** `text` as the content of an HTML element or of a quoted attribute. */
export function escapeHtml(text: string): string {
  return text.replace(/[&<>"']/g, (character) => ENTITIES[character]!);
}

/** `text` as plain words of a Markdown table cell: no markup, no HTML, no cell border. */
export function escapeMarkdown(text: string): string {
  return visible(text).replace(/[\\`*_[\]<>|~&$]/g, (character) =>
    character === "<" ? "&lt;" : character === ">" ? "&gt;" : character === "&" ? "&amp;" : `\\${character}`,
  );
}

/** The first `limit` characters (code points) of `text`, and how many were left out. */
export function shorten(text: string, limit: number): { text: string; left: number } {
  if (text.length <= limit) return { text, left: 0 };
  const characters = Array.from(text);
  return { text: characters.slice(0, limit).join(""), left: Math.max(0, characters.length - limit) };
}

/** `text` shortened to `limit` characters with a note of what is missing. */
export function abridged(text: string, limit: number): string {
  const short = shorten(text, limit);
  return short.left === 0 ? short.text : `${short.text} … (${short.left} more characters)`;
}
