/** The run as a picture: one row for the beginning and one for each Grow, its control beneath, the step that runs lit. */

import { duration } from "../../../report/format.js";
import type { Stage } from "../../protocol.js";

/** Pixels of the drawing. */
const BOX = { width: 104, height: 44, across: 28, down: 22 };
const MARGIN = 4;

interface Placed {
  stage: Stage;
  x: number;
  y: number;
}

const WORDS: Record<Stage["status"], string> = { done: "done", running: "runs now", waiting: "to be done" };

export function Pipeline({ stages }: { stages: readonly Stage[] }) {
  const rows = rowsOf(stages);
  const placed: Placed[][] = rows.map((row, down) =>
    row.map((stage, across) => ({
      stage,
      x: MARGIN + across * (BOX.width + BOX.across),
      y: MARGIN + down * (BOX.height + BOX.down),
    })),
  );
  const width =
    Math.max(...rows.map((row) => row.length)) * (BOX.width + BOX.across) - BOX.across + 2 * MARGIN;
  const height = rows.length * (BOX.height + BOX.down) - BOX.down + 2 * MARGIN;
  const words = stages.map(({ id, label, status }) => `${label} (${id}): ${WORDS[status]}`).join("; ");
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reachable by keyboard.
    <section class="scroll" tabIndex={0} aria-label="Steps of the run">
      <svg
        class="pipeline"
        width={width}
        height={height}
        viewBox={`0 0 ${width} ${height}`}
        role="img"
        aria-label={words}
        data-testid="pipeline"
      >
        {placed.flatMap((row) =>
          row
            .slice(1)
            .map(({ stage, x, y }) => (
              <path
                key={`to-${stage.id}`}
                class="way"
                d={`M${x - BOX.across} ${y + BOX.height / 2}h${BOX.across - 2}m-6 -4l6 4l-6 4`}
              />
            )),
        )}
        {placed.flat().map(({ stage: { id, label, status, seconds, control }, x, y }) => (
          <g
            key={id}
            class={`box ${status}${control ? " control" : ""}`}
            transform={`translate(${x} ${y})`}
            data-testid={`stage-${id}`}
            data-status={status}
          >
            <rect width={BOX.width} height={BOX.height} rx={6} />
            <text x={BOX.width / 2} y={19} class="name">
              {status === "done" ? "✓ " : status === "running" ? "▶ " : ""}
              {label}
            </text>
            <text x={BOX.width / 2} y={35} class="time">
              {status === "running" ? "now" : status === "done" ? duration(seconds) : ""}
            </text>
          </g>
        ))}
      </svg>
    </section>
  );
}

/** The beginning, then for each Grow its main line and its controls. */
function rowsOf(stages: readonly Stage[]): Stage[][] {
  const grows = [...new Set(stages.map(({ grow }) => grow))];
  return grows
    .flatMap((grow) =>
      [false, true].map((control) =>
        stages.filter((stage) => stage.grow === grow && stage.control === control),
      ),
    )
    .filter((row) => row.length > 0);
}
