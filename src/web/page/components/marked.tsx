/** Text from a model or a corpus: always as text, what acts instead of being seen written out, differences marked. */

import { differences } from "../../../report/differences.js";
import { visible } from "../../../report/escape.js";

/** Its own direction does not turn what stands around it. */
export function Words({ text }: { text: string }) {
  return <bdi>{visible(text)}</bdi>;
}

/** `text` with the words marked that the reference does not have there, and the places where words of it are missing. */
export function Marked({ text, reference }: { text: string; reference: string }) {
  return (
    <bdi>
      {differences(visible(text), visible(reference)).map(({ text: part, kind }, at) => {
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
