import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { Pair } from "../../src/data/pair.js";
import { DAMAGE_KINDS, type DamageKind, damagedPairs } from "../../src/reward/damage.js";
import { changeNegation, changeNumbers } from "../../src/reward/meaning.js";
import { joinUnits, unitsOf } from "../../src/reward/units.js";
import { deriveKey } from "../../src/tensor/random.js";

const key = deriveKey(20, 4);

const pairs: Pair[] = [
  {
    source: "Zwei Hunde spielen nicht im tiefen Schnee.",
    target: "Two dogs are not playing in the deep snow.",
  },
  { source: "Ein Mann fährt mit dem Rad.", target: "A man is riding a bike." },
  {
    source: "Die Frau kauft 12 rote Äpfel auf dem Markt.",
    target: "The woman buys 12 red apples at the market.",
  },
  { source: "Drei Kinder sitzen am Tisch und essen.", target: "Three children sit at the table and eat." },
];
const chinese: Pair[] = [
  { source: "Two dogs are playing in the snow.", target: "两只狗正在雪地里玩耍，它们不冷。" },
  { source: "Open the file.", target: "请在设置中打开文件“main.ts”。" },
  { source: "Three people are at the table.", target: "三个人坐在桌子旁边吃饭。" },
];

/** The one damaged candidate of a kind for each pair that takes it. */
function of(
  kind: DamageKind,
  from: readonly Pair[] = pairs,
  strength: readonly [number, number] = [0.3, 0.3],
) {
  return [...damagedPairs(from, key, { perPair: 1, kinds: [kind], strength })];
}

function words(text: string): string[] {
  return text.split(" ");
}

function counts(items: readonly string[]): Map<string, number> {
  const result = new Map<string, number>();
  for (const item of items) result.set(item, (result.get(item) ?? 0) + 1);
  return result;
}

/** Whether `part` comes out of `whole` by leaving items out. */
function isSubsequence(part: readonly string[], whole: readonly string[]): boolean {
  let at = 0;
  for (const item of whole) if (item === part[at]) at++;
  return at === part.length;
}

describe("damagedPairs", () => {
  it("the same key gives the same damages, another key others", () => {
    const draw = (seed: number) => [...damagedPairs(pairs, deriveKey(seed), { perPair: 5 })];
    expect(draw(1)).toEqual(draw(1));
    expect(draw(1)).not.toEqual(draw(2));
  });

  it("a damaged pair carries its source and its reference, in the order of the pairs", () => {
    const damaged = [...damagedPairs(pairs, key, { perPair: 3 })];
    expect(damaged.map(({ source, reference }) => ({ source, target: reference }))).toEqual(
      pairs.flatMap((pair) => [pair, pair, pair]),
    );
  });

  it("the damages of one pair are of different kinds as long as kinds last", () => {
    const damaged = [...damagedPairs(pairs.slice(0, 1), key, { perPair: 6 })];
    expect(new Set(damaged.map(({ kind }) => kind)).size).toBe(6);
  });

  it("every kind can be done to one of these sentences, in German-English and in Chinese", () => {
    for (const from of [pairs, chinese]) {
      for (const kind of DAMAGE_KINDS) expect(of(kind, from).length, kind).toBeGreaterThan(0);
    }
  });

  it("no candidate is its reference, another one of its pair, or empty", () => {
    // Short texts of few words, so that damages that change nothing come up often.
    const token = fc.constantFrom(
      "a",
      "b",
      "a.",
      "not",
      "is",
      "7",
      "你",
      "好",
      "。",
      "ein",
      "é",
      "👩‍👧",
      "\ud800",
    );
    const text = fc.oneof(
      fc.array(token, { maxLength: 6 }).map((tokens) => tokens.join(" ")),
      fc.array(token, { maxLength: 6 }).map((tokens) => tokens.join("")),
      fc.string({ unit: "binary" }),
    );
    const corpus = fc.array(fc.record({ source: text, target: text }), { maxLength: 6 });
    const plain = (given: string) => given.replace(/\s+/gu, " ").trim();
    fc.assert(
      fc.property(corpus, fc.nat(), fc.integer({ min: 1, max: 20 }), (given, seed, perPair) => {
        const perTarget = new Map<string, number>();
        for (const { source, candidate, reference, strength } of damagedPairs(given, deriveKey(seed), {
          perPair,
          strength: [0.01, 1],
        })) {
          expect(plain(candidate)).not.toBe(plain(reference));
          expect(plain(candidate)).not.toBe("");
          expect(strength).toBeGreaterThan(0);
          expect(strength).toBeLessThanOrEqual(1);
          const pairKey = JSON.stringify([source, reference]);
          perTarget.set(pairKey, (perTarget.get(pairKey) ?? 0) + 1);
        }
        for (const [pairKey, number] of perTarget) {
          const same = given.filter(
            ({ source, target }) => JSON.stringify([source, target]) === pairKey,
          ).length;
          expect(number).toBeLessThanOrEqual(perPair * same);
        }
      }),
      { numRuns: 100 },
    );
  });

  it("candidates of one pair differ from each other", () => {
    for (const pair of pairs) {
      const texts = [...damagedPairs([pair], key, { perPair: 30 })].map(({ candidate }) => candidate);
      expect(texts.length).toBeGreaterThan(12);
      expect(new Set(texts).size).toBe(texts.length);
    }
  });

  it.each([0, -1, 1.5])("%d damages for each pair is an error", (perPair) => {
    expect(() => [...damagedPairs(pairs, key, { perPair })]).toThrow("must be a whole number from 1");
  });

  it.each([
    [0, 0.5],
    [0.5, 0.4],
    [0.5, 1.1],
  ])("strengths from %d to %d are an error", (low, high) => {
    expect(() => [...damagedPairs(pairs, key, { perPair: 1, strength: [low, high] })]).toThrow(
      `the strength of damages is [${low}, ${high}]`,
    );
  });

  it("no kinds are an error", () => {
    expect(() => [...damagedPairs(pairs, key, { perPair: 1, kinds: [] })]).toThrow(
      "no kind of damage is given",
    );
  });
});

describe("kinds of damage", () => {
  it("dropped: what is left is in order, and the share that went is the strength", () => {
    for (const { candidate, reference } of of("dropped")) {
      expect(isSubsequence(words(candidate), words(reference))).toBe(true);
      const length = words(reference).length;
      expect(length - words(candidate).length).toBe(Math.round(0.3 * (length - 1)));
    }
  });

  it("doubled: some words stand twice in a row, and leaving one of each gives the reference", () => {
    for (const { candidate, reference } of of("doubled")) {
      expect(isSubsequence(words(reference), words(candidate))).toBe(true);
      expect(words(candidate).filter((word, i, all) => word !== all[i - 1])).toEqual(words(reference));
      const length = words(reference).length;
      expect(words(candidate).length - length).toBe(Math.round(0.3 * length));
    }
  });

  it("swapped: the same words in another order", () => {
    for (const { candidate, reference } of of("swapped")) {
      expect(counts(words(candidate))).toEqual(counts(words(reference)));
    }
  });

  it("repeatedSpan: the reference with two or more of its words said again", () => {
    for (const { candidate, reference } of [
      ...of("repeatedSpan"),
      ...of("repeatedSpan", pairs, [0.01, 0.01]),
    ]) {
      expect(isSubsequence(words(reference), words(candidate))).toBe(true);
      expect(words(candidate).length).toBeGreaterThanOrEqual(words(reference).length + 2);
      expect(new Set(words(candidate))).toEqual(new Set(words(reference)));
    }
  });

  it("cut: the beginning of the reference, shorter with more strength", () => {
    const weak = of("cut", pairs, [0.1, 0.1]);
    const strong = of("cut", pairs, [0.8, 0.8]);
    for (const [i, { candidate, reference }] of weak.entries()) {
      expect(reference.startsWith(candidate)).toBe(true);
      expect(reference.startsWith(strong[i]!.candidate)).toBe(true);
      expect(strong[i]!.candidate.length).toBeLessThan(candidate.length);
    }
  });

  it("inventedTail: the reference without its full stop, then the end of another target", () => {
    for (const { candidate, reference } of of("inventedTail")) {
      const body = reference.slice(0, -1);
      expect(candidate.startsWith(`${body} `)).toBe(true);
      const tail = candidate.slice(body.length + 1);
      expect(pairs.some(({ target }) => target !== reference && target.endsWith(tail))).toBe(true);
    }
  });

  it("copiedSource is the source, at strength 1", () => {
    for (const damaged of of("copiedSource")) {
      expect(damaged.candidate).toBe(damaged.source);
      expect(damaged.strength).toBe(1);
    }
  });

  it("otherTranslation is the target of another source, never of the same source said twice", () => {
    for (const { candidate, reference } of of("otherTranslation")) {
      expect(pairs.some(({ target }) => target === candidate && target !== reference)).toBe(true);
    }
    const paraphrases = [
      { source: "Guten Tag", target: "Good day" },
      { source: "Guten Tag", target: "Hello" },
    ];
    expect(of("otherTranslation", paraphrases)).toEqual([]);
  });

  it("garbled: words keep their places, most letters stay, the script stays", () => {
    for (const { candidate, reference } of of("garbled", [...pairs, ...chinese])) {
      const letters = new Set(reference);
      expect([...candidate].every((letter) => letters.has(letter))).toBe(true);
      expect(Math.abs([...candidate].length - [...reference].length)).toBeLessThanOrEqual(
        0.34 * [...reference].length,
      );
    }
  });

  it("oneWord is one word of the reference, one character where words are not spaced", () => {
    for (const { candidate, reference } of of("oneWord")) expect(words(reference)).toContain(candidate);
    for (const { candidate, reference } of of("oneWord", chinese)) {
      expect(unitsOf(reference).map(({ text }) => text)).toContain(candidate);
    }
  });

  it("a text of one word has nothing to drop, cut or swap", () => {
    const single = [{ source: "Ja", target: "Yes" }];
    for (const kind of ["dropped", "cut", "swapped", "oneWord"] as const)
      expect(of(kind, single)).toEqual([]);
  });

  it("a source that is its own translation is not copied as a damage", () => {
    expect(of("copiedSource", [{ source: "OK", target: "OK" }])).toEqual([]);
  });
});

describe("numbers", () => {
  it.each(["It costs 375 euros.", "Two dogs and three cats", "Zwei Hunde", "三个人", "v2.0"])(
    "of %j another number is made, and all else stays",
    (text) => {
      const shape = (given: string) =>
        given
          .replace(
            /\d|\b(?:two|three|four|five|six|seven|eight|nine|ten|twelve)\b|[二三四五六七八九]/giu,
            "#",
          )
          .replace(/Zwei|Drei|Vier|Fünf|Sechs|Sieben|Acht|Neun|Zehn|Zwölf/gu, "#");
      for (let seed = 0; seed < 50; seed++) {
        const changed = changeNumbers(text, 0.5, deriveKey(seed));
        expect(changed).not.toBe(text);
        expect(shape(changed!)).toBe(shape(text));
      }
    },
  );

  it("a longer number does not begin with 0", () => {
    for (let seed = 0; seed < 200; seed++) {
      expect(changeNumbers("12", 1, deriveKey(seed))).toMatch(/^[1-9]\d$/u);
    }
  });

  it("a text without numbers has none to change", () => {
    expect(changeNumbers("Ein Klavier", 1, key)).toBeUndefined(); // "vier" within a word is no number
  });
});

describe("negation", () => {
  it.each([
    ["The dog is playing.", "The dog is not playing."],
    ["The dog is not playing.", "The dog is playing."],
    ["You can't open the file.", "You can open the file."],
    ["You cannot open the file.", "You can open the file."],
    ["It won’t open the file.", "It will open the file."],
    ["It doesn't open in the editor.", "It does open in the editor."],
    ["Der Hund ist im Garten.", "Der Hund ist nicht im Garten."],
    ["Der Hund spielt nicht mit dem Ball.", "Der Hund spielt mit dem Ball."],
    ["Das ist keine Katze.", "Das ist eine Katze."],
    ["Kein Hund spielt auf der Straße.", "Ein Hund spielt auf der Straße."],
    ["Eine Frau spielt auf der Straße.", "Keine Frau spielt auf der Straße."],
    ["这是文件", "这不是文件"],
    ["没有文件", "有文件"],
    ["他不来", "他来"],
  ])("%j becomes %j", (text, changed) => {
    expect(changeNegation(text)).toBe(changed);
  });

  it.each(["Datei", "Le chien joue.", "犬は雪が好きです", "Kaffee", "the red hat"])(
    "%j has no place that is recognised",
    (text) => {
      expect(changeNegation(text)).toBeUndefined();
    },
  );
});

describe("units", () => {
  it.each([
    ["the cat  sat.", ["the", "cat", "sat."]],
    ["你好，世界。", ["你", "好", "，", "世", "界", "。"]],
    ["打开 main.ts 文件", ["打", "开", "main.ts", "文", "件"]],
    ["", []],
    [" \n ", []],
  ])("%j splits into %j", (text, expected) => {
    expect(unitsOf(text).map((unit) => unit.text)).toEqual(expected);
  });

  it("joining the units gives the text back, white space as single spaces", () => {
    fc.assert(
      fc.property(fc.string({ unit: "binary" }), (text) => {
        expect(joinUnits(unitsOf(text))).toBe(text.replace(/\s+/gu, " ").trim());
      }),
    );
    for (const { target } of [...pairs, ...chinese]) expect(joinUnits(unitsOf(target))).toBe(target);
    expect(joinUnits(unitsOf("打开 main.ts 文件"))).toBe("打开 main.ts 文件");
  });
});
