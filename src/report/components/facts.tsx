/** @jsxRuntime automatic @jsxImportSource preact */

/** Terms with what is to be said of each. */

import { Fragment } from "preact";
import { Words } from "./words.js";

export function Facts({ facts }: { facts: readonly (readonly [term: string, fact: string])[] }) {
  return (
    <dl class="facts">
      {facts.map(([term, fact]) => (
        <Fragment key={term}>
          <dt>{term}</dt>
          <dd>
            <Words text={fact} />
          </dd>
        </Fragment>
      ))}
    </dl>
  );
}
