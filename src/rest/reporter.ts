/** How a run tells what it is doing; the command line draws it, tests and libraries may listen or not. */

export interface Reporter {
  /** A step of the run begins, as the manifest will name it. */
  step?(name: string): void;
  /** One sentence on a line of its own. */
  note(sentence: string): void;
  /** A stretch of work of known size; call `finish` at its end. */
  progress(
    label: string,
    total: number,
    unit: string,
  ): { update(done: number, detail?: string): void; finish(): void };
}

export const silent: Reporter = {
  note: () => {},
  progress: () => ({ update: () => {}, finish: () => {} }),
};
