/** @jsxRuntime automatic @jsxImportSource preact */

/** One sentence with its reference, and what each policy made of it. */

import { abridged, visible } from "../escape.js";
import { points, rewardPoints } from "../format.js";
import { Reward } from "./reward.js";
import { type Column, Table } from "./table.js";
import { Marked, Words } from "./words.js";

/** Characters of the source that tell its table from others. */
const NAMED_BY = 60;

export interface Translation {
  /** Those that wrote it, one or several. */
  policies: readonly string[];
  text: string;
  reward: number | null;
  /** Of this sentence, 0 to 100, where it is known. */
  chrf?: number | null;
  /** What the judge says of it, in [0, 1], where it is known. */
  judge?: number;
  control: boolean;
}

interface TranslationsProps {
  source: string;
  reference: string;
  translations: readonly Translation[];
  /** Characters of a text after which it is cut, and said to be. Absent: none. */
  limit?: number;
  testId?: string;
}

export function Translations({ source, reference, translations, limit, testId }: TranslationsProps) {
  const short = limit === undefined ? {} : { limit };
  const judged = translations.some(({ chrf }) => chrf !== undefined);
  const asked = translations.some(({ judge }) => judge !== undefined);
  const columns: Column<Translation>[] = [
    {
      key: "policy",
      header: "policy",
      cell: ({ policies, control }) => <Words text={policies.join(", ") + (control ? " †" : "")} />,
    },
    {
      key: "text",
      header: "translation",
      cell: ({ text }) => <Marked text={text} reference={reference} {...short} />,
    },
    { key: "reward", header: "reward", align: "right", cell: ({ reward }) => <Reward value={reward} /> },
  ];
  if (judged) columns.push({ key: "chrf", header: "chrF", align: "right", cell: ({ chrf }) => points(chrf) });
  if (asked)
    columns.push({ key: "judge", header: "judge", align: "right", cell: ({ judge }) => rewardPoints(judge) });
  return (
    <article class="one-source">
      <dl class="texts">
        <dt>source</dt>
        <dd>
          <Words text={source} {...short} />
        </dd>
        <dt>reference</dt>
        <dd>
          <Words text={reference} {...short} />
        </dd>
      </dl>
      <Table
        caption={`Translations of “${visible(abridged(source, NAMED_BY))}” by every policy, with reward (0 to 100)${judged ? " and sentence chrF" : ""}${asked ? ", and what the judge says (0 to 100)" : ""}`}
        {...(testId === undefined ? {} : { testId })}
        rows={translations}
        keyOf={({ policies }) => policies.join(" ")}
        classOf={({ control }) => (control ? "control" : undefined)}
        columns={columns}
        named
      />
    </article>
  );
}
