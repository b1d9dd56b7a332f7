/** The scale that people rate on: scalar quality metric, 0 to 6 with words at every other point (Freitag et al. 2021). */

export const LOWEST = 0;
export const HIGHEST = 6;

/** What stands for a point of the scale; those between have no words of their own. */
export const SCALE_WORDS: Readonly<Record<number, string>> = {
  0: "nonsense",
  2: "some meaning kept",
  4: "most meaning kept",
  6: "perfect",
};

/** Every point, lowest first. */
export const SCORES: readonly number[] = Array.from({ length: HIGHEST - LOWEST + 1 }, (_, i) => LOWEST + i);

/** Longest comment, in characters (UTF-16). */
export const COMMENT_LIMIT = 2000;

/** Longest name of a rater. */
export const NAME_LIMIT = 60;
