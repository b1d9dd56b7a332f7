/** How often a policy with several attempts is right, estimated from more attempts than that. */

/**
 * Unbiased estimate of the chance that at least one of k attempts is right, from n of which c are: 1 − C(n−c, k) / C(n, k)
 * (Chen et al. 2021).
 * @throws RangeError for a k that is not a whole number from 1 to n
 */
export function passAtK(n: number, c: number, k: number): number {
  mustFit(n, k);
  if (k > n - c) return 1;
  let none = 1;
  for (let i = n - c + 1; i <= n; i++) none *= 1 - k / i;
  return 1 - none;
}

/**
 * Unbiased estimate of the chance that the answer which most of k attempts give is right: the average over all subsets of
 * k of the n attempts, without making them. Of answers that are given equally often each counts alike; attempts without an
 * answer (undefined) have no vote.
 * @throws RangeError for a k that is not a whole number from 1 to the number of attempts
 */
export function majorityAtK(answers: readonly (string | undefined)[], right: string, k: number): number {
  const n = answers.length;
  mustFit(n, k);
  const counts = new Map<string, number>();
  let silent = 0;
  for (const answer of answers) {
    if (answer === undefined) silent++;
    else counts.set(answer, (counts.get(answer) ?? 0) + 1);
  }
  const ofRight = counts.get(right) ?? 0;
  counts.delete(right);
  // Subsets are counted as draws that take each attempt with this chance, given that they take k: C(n, k) would overflow.
  const chance = k / (n + 1);
  let wins = 0;
  for (let votes = 1; votes <= Math.min(ofRight, k); votes++) {
    // Chance that the others take a number of attempts, by how many of them tie with the right answer.
    let others: number[][] = [draws(silent, chance).slice(0, k - votes + 1)];
    for (const count of counts.values()) others = withRival(others, draws(count, chance), votes, k - votes);
    const rest = others.map((row) => row[k - votes] ?? 0);
    const shared = rest.reduce((sum, ways, ties) => sum + ways / (1 + ties), 0);
    wins += draws(ofRight, chance)[votes]! * shared;
  }
  return wins / draws(n, chance)[k]!;
}

/** `others[ties][taken]` once a rival answer has taken up to `votes` attempts too. */
function withRival(others: number[][], rival: readonly number[], votes: number, most: number): number[][] {
  const after: number[][] = [];
  others.forEach((row, ties) => {
    row.forEach((ways, taken) => {
      for (let more = 0; more <= Math.min(votes, rival.length - 1, most - taken); more++) {
        const tied = ties + (more === votes ? 1 : 0);
        after[tied] ??= [];
        after[tied][taken + more] = (after[tied][taken + more] ?? 0) + ways * rival[more]!;
      }
    });
  });
  return after;
}

/** Chance of each number of successes among n draws: the binomial distribution. */
function draws(n: number, chance: number): number[] {
  const logs = [n * Math.log1p(-chance)];
  for (let i = 1; i <= n; i++)
    logs.push(logs[i - 1]! + Math.log((n - i + 1) / i) + Math.log(chance) - Math.log1p(-chance));
  return logs.map(Math.exp);
}

function mustFit(n: number, k: number): void {
  if (!Number.isInteger(k) || k < 1 || k > n)
    throw new RangeError(`${k} attempts cannot be estimated from ${n} of them`);
}
