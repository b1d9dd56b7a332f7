/** @jsxRuntime automatic @jsxImportSource preact */

/** Text from a model or a corpus: always as text, what acts instead of being seen written out, differences marked. */

import { Fragment } from "preact";
import { differences } from "../differences.js";
import { shorten, visible } from "../escape.js";
import { plural } from "../format.js";

/** Characters that are shown of a text where nothing else is said: a browser takes minutes to break a word of 100,000 into lines. */
const LONGEST = 5000;

interface WordsProps {
  text: string;
  /** Characters after which the text is cut, and said to be. */
  limit?: number;
}

/** Its own direction does not turn what stands around it. */
export function Words({ text, limit }: WordsProps) {
  const shown = shorten(text, limit ?? LONGEST);
  return (
    <>
      <bdi>{visible(shown.text)}</bdi>
      <LeftOut characters={shown.left} />
    </>
  );
}

/**
 * `text` with the words marked that the reference does not have there, and the places where words of it are missing;
 * empty text is said to be so.
 */
export function Marked({ text, reference, limit }: WordsProps & { reference: string }) {
  const most = limit ?? LONGEST;
  const shown = shorten(text, most);
  if (shown.text.trim() === "") return <span class="note">(empty)</span>;
  return (
    <>
      <bdi>
        {differences(visible(shown.text), visible(shorten(reference, most).text)).map(
          ({ text: part, kind }, at) => {
            // Stretches have no names; a text that changes is drawn anew as a whole.
            const key = `${at} ${kind}`;
            if (kind === "same") return <Fragment key={key}>{part}</Fragment>;
            if (kind === "differs") return <mark key={key}>{part}</mark>;
            return <Gap key={key} />;
          },
        )}
      </bdi>
      <LeftOut characters={shown.left} />
    </>
  );
}

/** Stands where the reference has words that the translation leaves out. */
export function Gap() {
  return (
    <span class="gap" title="words of the reference are left out here" role="img" aria-label="left out">
      ‸
    </span>
  );
}

function LeftOut({ characters }: { characters: number }) {
  if (characters === 0) return null;
  return <span class="note"> … ({plural(characters, "more character")})</span>;
}
