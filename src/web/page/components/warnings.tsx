/** Where a reward rises and what stands outside it falls: the sentences of the report, policy by policy. */

import { Findings } from "../../../report/components/findings.js";

export function Warnings({ warnings }: { warnings: readonly { policy: string; text: string }[] }) {
  if (warnings.length === 0) return null;
  return (
    <div data-testid="warnings">
      <Findings
        findings={warnings.map(({ policy, text }) => ({ kind: "warning", text: `${policy}: ${text}` }))}
      />
    </div>
  );
}
