/** What a server was asked for: requests, tokens as it counts them, and their price. */

export interface Spent {
  [key: string]: number;
  requests: number;
  tokensIn: number;
  tokensOut: number;
  /** In the currency of the configured prices; 0 where there are none. */
  money: number;
}

/** For a million tokens. */
export interface Price {
  input: number;
  output: number;
}

export class Ledger {
  readonly #price: Price;
  #requests = 0;
  #tokensIn = 0;
  #tokensOut = 0;

  constructor(price: Price) {
    this.#price = price;
  }

  add({
    tokensIn = 0,
    tokensOut = 0,
  }: {
    tokensIn?: number | undefined;
    tokensOut?: number | undefined;
  }): void {
    this.#requests++;
    this.#tokensIn += tokensIn;
    this.#tokensOut += tokensOut;
  }

  /** What was spent since the last call; undefined: nothing was asked. */
  take(): Spent | undefined {
    if (this.#requests === 0) return undefined;
    const [requests, tokensIn, tokensOut] = [this.#requests, this.#tokensIn, this.#tokensOut];
    this.#requests = 0;
    this.#tokensIn = 0;
    this.#tokensOut = 0;
    const money = (tokensIn * this.#price.input + tokensOut * this.#price.output) / 1e6;
    return { requests, tokensIn, tokensOut, money };
  }
}
