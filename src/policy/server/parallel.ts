/** Work of several at once, whose results are taken as they come. */

/**
 * Does `work` on each item, at most `most` at once, and gives the results in the order in which they come. After a
 * failure nothing new is begun, what is under way is waited for, and the first failure is thrown.
 *
 * @param work Told by its second argument that another failed.
 */
export async function* inParallel<Item, Result>(
  items: readonly Item[],
  most: number,
  work: (item: Item, failed: AbortSignal) => Promise<Result>,
): AsyncGenerator<Result> {
  const failed = new AbortController();
  const ready: Result[] = [];
  let failure: { error: unknown } | undefined;
  let next = 0;
  let working = 0;
  let wake: () => void = () => undefined;
  const worker = async () => {
    working++;
    while (next < items.length && !failed.signal.aborted) {
      try {
        ready.push(await work(items[next++]!, failed.signal));
      } catch (error) {
        failure ??= { error };
        failed.abort();
      }
      wake();
    }
    working--;
    wake();
  };
  for (let i = 0; i < Math.min(most, items.length); i++) void worker();
  try {
    while (true) {
      if (ready.length > 0) yield* ready.splice(0);
      else if (working > 0)
        await new Promise<void>((resolve) => {
          wake = resolve;
        });
      else break;
    }
  } finally {
    // Who reads no further wants no more.
    failed.abort();
  }
  if (failure) throw failure.error;
}
