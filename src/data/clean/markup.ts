/** Text without mark-up: HTML tags taken out, character references decoded, invisible characters dropped. */

/** HTML's tags, so that `a < b`, `<name>` and `List<T>` stay. */
const TAG =
  /<\/?(?:a|abbr|b|big|blockquote|body|br|center|cite|code|dd|del|div|dl|dt|em|font|h[1-6]|head|hr|html|i|img|ins|kbd|li|mark|ol|p|pre|q|s|samp|script|small|span|strike|strong|style|sub|sup|table|tbody|td|tfoot|th|thead|tr|tt|u|ul|var)(?:\s[^<>]*)?\/?>/gi;
/** Tags that stand between words: what they part stays apart. */
const BREAKS =
  /^<\/?(?:blockquote|br|dd|div|dl|dt|h[1-6]|hr|li|ol|p|pre|table|tbody|td|tfoot|th|thead|tr|ul)\b/i;
const REFERENCE = /&(?:#(\d{1,7})|#x([\da-f]{1,6})|([a-z]{2,6}));/gi;

// The references of XML, of Moses' tokenizer (as numbers), and those that texts on the web have most.
const NAMED: Record<string, string> = {
  ...{ amp: "&", lt: "<", gt: ">", quot: '"', apos: "'", nbsp: " ", shy: "" },
  ...{ ndash: "–", mdash: "—", hellip: "…", laquo: "«", raquo: "»", bdquo: "„", ldquo: "“", rdquo: "”" },
  ...{
    lsquo: "‘",
    rsquo: "’",
    sbquo: "‚",
    auml: "ä",
    ouml: "ö",
    uuml: "ü",
    szlig: "ß",
    euro: "€",
    copy: "©",
  },
  ...{ Auml: "Ä", Ouml: "Ö", Uuml: "Ü", eacute: "é", middot: "·", times: "×", deg: "°" },
};

/** References are decoded twice at most: `&amp;quot;` is common, a deeper nest is meant. */
export function withoutMarkup(text: string): string {
  if (!/[<&]/.test(text)) return text;
  const decoded = decodeReferences(decodeReferences(text));
  return decoded.replace(TAG, (tag) => (BREAKS.test(tag) ? " " : ""));
}

/** Character references of XML and HTML as the characters; a name that is not known stays. */
export function decodeReferences(text: string): string {
  return text.replace(REFERENCE, (whole, decimal?: string, hex?: string, name?: string) => {
    if (name !== undefined) return NAMED[name] ?? NAMED[name.toLowerCase()] ?? whole;
    const code = decimal === undefined ? Number.parseInt(hex ?? "", 16) : Number(decimal);
    const isCharacter = code >= 32 && code <= 0x10ffff && !(code >= 0xd800 && code <= 0xdfff);
    return isCharacter ? String.fromCodePoint(code) : whole;
  });
}

/** Control characters, soft hyphens, zero-width spaces, marks of direction and of byte order. */
const INVISIBLE = /[\p{Cc}\u00ad\u200b\u200e\u200f\u202a-\u202e\u2060-\u2064\ufeff]/gu;

/** Composed characters (NFC), nothing invisible, single spaces between words. */
export function plainText(text: string): string {
  // Before the controls go: a tab or line break parts words.
  return text.normalize("NFC").replace(/\s+/g, " ").replace(INVISIBLE, "").replace(/ {2,}/g, " ").trim();
}
