/** A run of normalised text, with whether it is a piece of the model. */
export interface Run {
  readonly text: string;
  readonly known: boolean;
}

/** Code units of the character at a place: 2 for one beyond U+FFFF, else 1. */
export function characterLength(text: string, at: number): number {
  return text.codePointAt(at)! > 0xffff ? 2 : 1;
}
