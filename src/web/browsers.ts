/** The candidates that readers look through, opened once and closed when the files change or others are asked for. */

import { stat } from "node:fs/promises";
import { tmpdir } from "node:os";
import { CandidateBrowser } from "../store/browse.js";
import { candidateFiles } from "../store/candidates.js";
import { insideFolder } from "./inside.js";
import { missing } from "./missing.js";

/** Grow steps held open at a time: each takes 22 bytes of memory a candidate. */
const HELD = 2;

interface Open {
  /** Names, sizes and times of the files that it reads. */
  stamp: string;
  browser: Promise<CandidateBrowser>;
  /** Questions under way; it is closed after the last. */
  users: number;
  retired: boolean;
}

export class Browsers {
  readonly #open = new Map<string, Open>();

  /** Asks the candidates of a grow folder of the run in `root`. Throws 404 where it holds none, or a link that leads out. */
  async use<T>(root: string, folder: string, ask: (browser: CandidateBrowser) => Promise<T>): Promise<T> {
    const files = candidateFiles(folder);
    if (files.length === 0)
      throw missing("This Grow step has no candidates yet: they come in parts of 500 sources.");
    for (const file of files) await insideFolder(root, file);
    const facts = await Promise.all(files.map((file) => stat(file)));
    const stamp = files.map((file, at) => `${file} ${facts[at]!.size} ${facts[at]!.mtimeMs}`).join("\n");
    const known = this.#open.get(folder);
    const open = known?.stamp === stamp ? known : this.#start(folder, stamp);
    if (known && known !== open) this.#retire(known);
    // The most recently used last.
    this.#open.delete(folder);
    this.#open.set(folder, open);
    for (const [name, old] of this.#open) {
      if (this.#open.size <= HELD) break;
      this.#open.delete(name);
      this.#retire(old);
    }
    open.users++;
    try {
      return await ask(await open.browser);
    } finally {
      open.users--;
      if (open.retired) this.#retire(open);
    }
  }

  close(): void {
    for (const open of this.#open.values()) this.#retire(open);
    this.#open.clear();
  }

  #start(folder: string, stamp: string): Open {
    const browser = CandidateBrowser.open(folder, {
      memoryMegabytes: 1000,
      // Only the run's own process writes into its folder.
      spillFolder: tmpdir(),
    });
    const open: Open = { stamp, browser, users: 0, retired: false };
    // What could not be opened is tried again when next asked for.
    browser.catch(() => {
      if (this.#open.get(folder) === open) this.#open.delete(folder);
    });
    return open;
  }

  #retire(open: Open): void {
    open.retired = true;
    if (open.users > 0) return;
    open.browser.then(
      (browser) => browser.close(),
      () => {},
    );
  }
}
