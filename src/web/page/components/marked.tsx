/** A translation with its differences from the reference marked. */

import { differences } from "../../../report/differences.js";
import { visible } from "../../../report/escape.js";

/** Words that the reference does not have are underlined; a caret stands where words of it are left out. */
export function Marked({ text, reference }: { text: string; reference: string }) {
  return (
    <bdi>
      {differences(visible(text), visible(reference)).map(({ text: part, kind }, at) =>
        kind === "same" ? (
          part
        ) : kind === "differs" ? (
          <mark key={at}>{part}</mark>
        ) : (
          <span key={at} class="gap" title="words of the reference are missing here">
            ‸<span class="hidden"> (words missing) </span>
          </span>
        ),
      )}
    </bdi>
  );
}
