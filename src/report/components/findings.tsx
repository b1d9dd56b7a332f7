/** @jsxRuntime automatic @jsxImportSource preact */

/** What the figures say, sentence by sentence, each with a sign for good or bad that does not rest on its colour. */

import { visible } from "../escape.js";
import type { Finding } from "../verdict.js";

const SIGNS: Readonly<Record<Finding["kind"], { sign: string; said?: string }>> = {
  good: { sign: "✓", said: "Good: " },
  bad: { sign: "✗", said: "Bad: " },
  neutral: { sign: "•" },
  warning: { sign: "!", said: "Warning: " },
};

export function Findings({ findings }: { findings: readonly Pick<Finding, "kind" | "text">[] }) {
  return (
    <ul class="findings">
      {findings.map(({ kind, text }) => (
        <li key={text} class={kind}>
          <Sign kind={kind} />
          {/* A number stays on one line with its percent sign. */}
          {visible(text).replace(/(\d) %/g, "$1\u00a0%")}
        </li>
      ))}
    </ul>
  );
}

function Sign({ kind }: { kind: Finding["kind"] }) {
  const { sign, said } = SIGNS[kind];
  if (said === undefined)
    return (
      <span class="sign" aria-hidden="true">
        {sign}
      </span>
    );
  return (
    <span class="sign" role="img" aria-label={said}>
      {sign}
    </span>
  );
}
