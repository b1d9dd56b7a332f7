/** The results of human ratings as tables for a terminal. */
import type { Interval, RatingResults, RewardResults, SystemBands } from "../rating/results.js";
import { count, decimal, MISSING, percent, rewardPoints, signed, withMinus } from "../report/format.js";
import { type PrintOptions, type Table, toText } from "../report/tables.js";

const SCALE_TITLES: Readonly<Record<RatingResults["scale"], string>> = {
  sqm: "ratings from 0 (nonsense) to 6 (perfect)",
  da: "ratings from 0 to 100",
  z: "ratings in standard deviations of their rater",
  mqm: "marked errors, 0 for none",
};

const left = (header: string) => ({ header, align: "left" as const });
const right = (header: string) => ({ header, align: "right" as const });

/** Most comments that a terminal shows. */
const COMMENTS = 10;

/** All tables of one scale, ending without a line break. */
export function resultsText(results: RatingResults, options: PrintOptions): string {
  const { reward } = results;
  return [
    systemTable(results),
    raterTable(results),
    ...(reward ? [bandTable(reward), calibrationTable(reward), ...rankingTable(reward)] : []),
    ...commentTable(results),
  ]
    .map((table) => toText(table, options))
    .join("\n\n");
}

function systemTable({ scale, baseline, systems, agreement }: RatingResults): Table {
  return {
    title: `Policies: ${SCALE_TITLES[scale]}`,
    columns: [
      left("policy"),
      right("items"),
      right("mean"),
      right(`vs ${baseline}`),
      right("p"),
      right("better"),
      right("worse"),
      right("reward"),
      right("vs"),
      right("ρ"),
      right("τ"),
      right("r"),
    ],
    rows: systems.map(({ name, items, score, difference, reward, rewardDifference, agreement: with_ }) => ({
      cells: [
        name,
        count(items),
        withInterval(score, (value) => decimal(value, 2)),
        difference ? withInterval(difference, (value) => signed(value, 2)) : MISSING,
        difference ? pText(difference.p) : MISSING,
        difference ? count(difference.wins) : MISSING,
        difference ? count(difference.losses) : MISSING,
        rewardPoints(reward),
        rewardDifference ? signed(100 * rewardDifference.value) : MISSING,
        withMinus(with_.spearman),
        withMinus(with_.kendall),
        withMinus(with_.pearson),
      ],
    })),
    notes: [
      "mean, vs: with 95 % bootstrap intervals over items. p: two-sided, by flipping the signs of the items' differences; not corrected for several policies.",
      "ρ, τ, r: Spearman, Kendall and Pearson of the reward with people, over the texts of that policy.",
      agreement.alpha === null
        ? "No text has two raters, so their agreement is not known."
        : `Krippendorff's α (ordinal) between ${count(agreement.raters)} raters: ${withMinus(agreement.alpha, 3)}, over ${count(agreement.texts)} texts.`,
    ],
  };
}

function raterTable({ raters }: RatingResults): Table {
  const careless = raters.filter((rater) => rater.careless).map(({ name }) => name);
  return {
    title: "Raters",
    columns: [
      left("rater"),
      right("items"),
      right("mean"),
      right("rated twice"),
      right("same"),
      right("within 1"),
      right("distance"),
      right("α"),
      right("checks failed"),
    ],
    rows: raters.map(({ name, items, mean, repeats, checks }) => ({
      cells: [
        name,
        count(items),
        decimal(mean, 2),
        repeats ? count(repeats.texts) : MISSING,
        percent(repeats?.same),
        percent(repeats?.withinOne),
        decimal(repeats?.distance, 2),
        withMinus(repeats?.alpha),
        checks.seen === 0 ? MISSING : `${checks.failed} of ${checks.seen}`,
      ],
    })),
    notes:
      careless.length === 0
        ? []
        : [
            `Careless: ${careless.join(", ")} rated more than a quarter of the damaged translations as high as the human one beside. Leave out with --without.`,
          ],
  };
}

function bandTable({ overall, bySystem, spread }: RewardResults): Table {
  const [all] = bySystem;
  return {
    title: "Reward by people's score",
    columns: [left("people's score"), ...bySystem.map(({ system }) => right(system))],
    rows: (all?.bands ?? []).map(({ over, upTo }, band) => ({
      cells: [
        `${band === 0 ? "from" : "above"} ${decimal(over, 1)} to ${decimal(upTo, 1)}`,
        ...bySystem.map((system) => bandCell(system, band)),
      ],
    })),
    notes: [
      "Each cell: mean reward ± standard deviation (texts).",
      `Deviation of the reward at scores of up to ${decimal(spread.low.upTo, 1)}: ${rewardPoints(spread.low.deviation)} (${count(spread.low.texts)} texts); above: ${rewardPoints(spread.high.deviation)} (${count(spread.high.texts)}).`,
      `Reward with people over ${count(overall.texts)} texts: ρ ${withMinus(overall.spearman)}, τ ${withMinus(overall.kendall)}, r ${withMinus(overall.pearson)}.`,
    ],
  };
}

function bandCell({ bands }: SystemBands, at: number): string {
  const band = bands[at];
  if (!band || band.texts === 0) return MISSING;
  const deviation = band.texts > 1 ? ` ± ${rewardPoints(band.deviation)}` : "";
  return `${rewardPoints(band.meanReward)}${deviation} (${count(band.texts)})`;
}

function calibrationTable({ calibration }: RewardResults): Table {
  return {
    title: "People's score by reward",
    columns: [
      left("reward"),
      right("texts"),
      right("mean reward"),
      right("people's mean"),
      right("deviation"),
    ],
    rows: calibration.map(({ low, high, texts, meanReward, meanScore, deviation }) => ({
      cells: [
        `${rewardPoints(low)} to ${rewardPoints(high)}`,
        count(texts),
        rewardPoints(meanReward),
        decimal(meanScore, 2),
        decimal(deviation, 2),
      ],
    })),
    notes: ["Where the reward is worth something to people, their mean rises from row to row."],
  };
}

function rankingTable({ ranking }: RewardResults): Table[] {
  const { people, reward, kendall, opposite } = ranking;
  if (people.length < 2) return [];
  return [
    {
      title: "Do reward and people rank the policies alike?",
      columns: [left("ordered oppositely"), right("people"), right("reward"), left("")],
      rows: opposite.map(({ a, b, score, reward: rewards, clear }) => ({
        cells: [
          `${a} − ${b}`,
          withInterval(score, (value) => signed(value, 2)),
          withInterval(rewards, (value) => signed(100 * value)),
          clear ? "beyond noise" : "within noise",
        ],
      })),
      notes: [
        `By people: ${people.join(", ")}. By reward: ${reward.join(", ")}. Kendall's τ of the means: ${withMinus(kendall)}.`,
      ],
    },
  ];
}

function commentTable({ comments }: RatingResults): Table[] {
  if (comments.length === 0) return [];
  return [
    {
      title: "Comments",
      columns: [left("rater"), left("comment"), left("source")],
      rows: comments
        .slice(0, COMMENTS)
        .map(({ rater, comment, source }) => ({ cells: [rater, comment, source] })),
      notes:
        comments.length > COMMENTS ? [`${comments.length - COMMENTS} more: see --export or --json.`] : [],
    },
  ];
}

function withInterval({ value, low, high }: Interval, print: (value: number) => string): string {
  return `${print(value)} [${print(low)}, ${print(high)}]`;
}

function pText(p: number): string {
  return p < 0.001 ? "< 0.001" : decimal(p, 3);
}
