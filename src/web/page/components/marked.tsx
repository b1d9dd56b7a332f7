/** Text from a model or a corpus: always as text, what acts instead of being seen written out, differences marked. */

import { differences } from "../../../report/differences.js";
import { abridged, visible } from "../../../report/escape.js";

/** Characters that are shown of a text: a browser takes minutes to break a word of 100,000 into lines. */
const LONGEST = 5000;

const shown = (text: string) => visible(abridged(text, LONGEST));

/** Its own direction does not turn what stands around it. */
export function Words({ text }: { text: string }) {
  return <bdi>{shown(text)}</bdi>;
}

/** `text` with the words marked that the reference does not have there, and the places where words of it are missing. */
export function Marked({ text, reference }: { text: string; reference: string }) {
  return (
    <bdi>
      {differences(shown(text), shown(reference)).map(({ text: part, kind }, at) => {
        // Stretches have no names; a text that changes is drawn anew as a whole.
        const key = `${at} ${kind}`;
        if (kind === "same") return <span key={key}>{part}</span>;
        if (kind === "differs") return <mark key={key}>{part}</mark>;
        return (
          <span
            key={key}
            class="gap"
            title="words of the reference are missing here"
            role="img"
            aria-label="gap"
          >
            ‸
          </span>
        );
      })}
    </bdi>
  );
}
