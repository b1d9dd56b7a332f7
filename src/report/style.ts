/** The style sheet of a page that opens from disk: inline, hashed into its content security policy. */

import { COMPONENT_STYLE } from "./components/style.js";

export const STYLE = `${COMPONENT_STYLE}
body { margin: 0 auto; padding: 2rem 1.25rem 4rem; max-width: 74rem; }
h1 { font-size: 1.1rem; font-weight: 600; margin: 0; color: var(--faint); }
h2 { font-size: 1.25rem; line-height: 1.3; margin: 3rem 0 .5rem; }
.headline { font-size: 1.55rem; line-height: 1.35; font-weight: 600; margin: .4rem 0 .8rem; max-width: 60rem; text-wrap: pretty; }
.charts svg { display: block; width: 100%; height: auto; max-width: 33rem; }
.one-source { border-top: 1px solid var(--line); padding: 1rem 0; }
details { margin: 1rem 0; }
summary { cursor: pointer; font-weight: 600; }
pre { background: var(--raised); border-radius: .5rem; padding: 1rem; overflow-x: auto; white-space: pre-wrap; font: .8125rem/1.5 ui-monospace, SFMono-Regular, Menlo, Consolas, "DejaVu Sans Mono", monospace; }
@media (max-width: 40rem) {
  body { padding: 1.25rem 1rem 3rem; }
  .headline { font-size: 1.25rem; }
}
@media print {
  .scroll { overflow: visible; }
  figure, .one-source, tr { break-inside: avoid; }
}
`;
