import fc from "fast-check";
import { expect, test } from "vitest";
import { repeatedWords, repetition } from "../../src/evaluate/repetition.js";

test("a phrase counts where it follows itself, by hand", () => {
  const cases: [string, number, string][] = [
    ["a b c", 0, "nothing twice"],
    ["a b a", 0, "twice, but not at once"],
    ["a a b", 1 / 3, "one word"],
    ["a b a b", 2 / 4, "a pair"],
    ["the cat the cat sat sat", 3 / 6, "a pair and a word"],
    ["a b c d a b c d", 4 / 8, "four words"],
    ["a b c d e a b c d e", 0, "five words are longer than a loop is taken to be"],
    ["a a a a", 3 / 4, "a loop"],
    ["a b a b a", 3 / 5, "a loop cut in the middle: b a follows b a"],
    ["Ja, ja. JA!", 2 / 3, "case and punctuation do not count"],
    ["", 0, "nothing"],
    [" ... !", 0, "no words"],
    ["谢谢你", 1 / 3, "characters are the words of scripts without spaces"],
  ];
  for (const [text, share, fact] of cases) expect(repetition(text), fact).toBe(share);
});

test("it is what trying every place counts", () => {
  const words = fc.array(fc.constantFrom("a", "b", "c"), { maxLength: 14 });
  fc.assert(
    fc.property(words, fc.integer({ min: 1, max: 4 }), (text, longest) => {
      const repeated = new Set<number>();
      for (let n = 1; n <= longest; n++)
        for (let start = n; start + n <= text.length; start++)
          if (text.slice(start, start + n).join() === text.slice(start - n, start).join())
            for (let i = start; i < start + n; i++) repeated.add(i);
      expect(repeatedWords(text, longest)).toBe(repeated.size);
    }),
  );
});
