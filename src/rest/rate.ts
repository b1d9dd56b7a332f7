/** How fast something goes and how long it will still take. */

/** Milliseconds that the rate looks back on: long enough to even out steps, short enough to follow a change. */
const horizon = 30_000;

/** Least milliseconds between two marks. */
const spacing = 200;

export class Rate {
  readonly #start: number;
  #marks: { at: number; done: number }[];

  constructor(
    readonly total: number,
    private readonly now: () => number = Date.now,
  ) {
    this.#start = now();
    this.#marks = [{ at: this.#start, done: 0 }];
  }

  update(done: number): void {
    const at = this.now();
    // Updates may come by the thousand: marks closer than `spacing` become one.
    const before = this.#marks.at(-2);
    if (before !== undefined && at - before.at < spacing) this.#marks.pop();
    this.#marks.push({ at, done });
    // The first mark kept is the last one before the horizon, so that there are always two once there was an update.
    while (this.#marks.length > 2 && this.#marks[1].at <= at - horizon) this.#marks.shift();
  }

  get done(): number {
    return this.#marks[this.#marks.length - 1].done;
  }

  /** Seconds since the start. */
  get elapsed(): number {
    return (this.now() - this.#start) / 1000;
  }

  /** Over the last 30 seconds; 0 before the first update. */
  get perSecond(): number {
    const first = this.#marks[0];
    const last = this.#marks[this.#marks.length - 1];
    return last.at > first.at ? ((last.done - first.done) / (last.at - first.at)) * 1000 : 0;
  }

  /** Seconds left at this rate; infinite while there is none. */
  get left(): number {
    return this.perSecond > 0
      ? Math.max(0, this.total - this.done) / this.perSecond
      : Number.POSITIVE_INFINITY;
  }
}
