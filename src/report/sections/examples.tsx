/** @jsxRuntime automatic @jsxImportSource preact */

/** The same sentences by each policy, differences from the reference marked. */

import type { ExampleTranslations, RunSummary } from "../../store/summary.js";
import { Section } from "../components/section.js";
import { type Translation, Translations } from "../components/translations.js";
import { Gap } from "../components/words.js";
import { judgeName } from "../figures.js";
import { plural, translationsBy } from "../format.js";
import { exampleEntries } from "../tables.js";

/** Longest source, reference or translation that the page shows. */
const TEXT_CHARACTERS = 2000;

/** Sentences shown before the rest is folded away. */
const OPEN_EXAMPLES = 6;

export function Examples({ summary }: { summary: RunSummary }) {
  const { examples } = summary;
  if (examples.length === 0) return null;
  const show = (from: number, to?: number) =>
    examples.slice(from, to).map((example, at) => (
      // The same sentence may stand twice; the order never changes.
      <Example key={`${from + at}`} summary={summary} example={example} />
    ));
  return (
    <Section title="The same sentence by each policy">
      <p class="faint">
        Of sentences never trained on, {translationsBy(summary.beam)}, with their reward
        {judgeName(summary) === undefined ? "" : " and what the judge says of them"}. <mark>Underlined</mark>:
        not in the reference at that place. <Gap />: words of the reference are left out here. Neither need be
        wrong.
      </p>
      {show(0, OPEN_EXAMPLES)}
      {examples.length > OPEN_EXAMPLES && (
        <details>
          <summary>{plural(examples.length - OPEN_EXAMPLES, "more sentence")}</summary>
          {show(OPEN_EXAMPLES)}
        </details>
      )}
    </Section>
  );
}

function Example({ summary, example }: { summary: RunSummary; example: ExampleTranslations }) {
  const controls = new Set(summary.policies.filter(({ control }) => control).map(({ name }) => name));
  const translations = exampleEntries(summary, example).map(
    (entry): Translation => ({ ...entry, control: entry.policies.every((name) => controls.has(name)) }),
  );
  return (
    <Translations
      source={example.source}
      reference={example.reference}
      translations={translations}
      limit={TEXT_CHARACTERS}
    />
  );
}
