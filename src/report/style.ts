/** The page's style sheet: inline, hashed into the page's content security policy, and without any address in it. */

export const STYLE = `
:root {
  color-scheme: light dark;
  --ground: #ffffff; --raised: #f5f6f8; --ink: #1b1f24; --faint: #59626d; --line: #d9dee4;
  --good: #00694d; --bad: #a23b00; --warn-ground: #fff4e0; --warn-line: #e69f00;
  --chart-blue: #0072b2; --chart-green: #009e73; --chart-vermillion: #d55e00;
  --chart-purple: #b0538a; --chart-orange: #e69f00; --chart-sky: #56b4e9;
}
@media (prefers-color-scheme: dark) {
  :root {
    --ground: #14171b; --raised: #1d2127; --ink: #e6e9ed; --faint: #a3adb8; --line: #343b44;
    --good: #4fc9a3; --bad: #ff9a5c; --warn-ground: #2e2512; --warn-line: #e69f00;
    --chart-blue: #56b4e9; --chart-green: #21b98d; --chart-vermillion: #ef7d2b;
    --chart-purple: #cc79a7; --chart-orange: #e69f00; --chart-sky: #9ad3f5;
  }
}
* { box-sizing: border-box; }
body {
  margin: 0 auto; padding: 2rem 1.25rem 4rem; max-width: 74rem;
  background: var(--ground); color: var(--ink);
  font: 16px/1.55 system-ui, -apple-system, "Segoe UI", Roboto, "Helvetica Neue", "Noto Sans", Arial, sans-serif;
  overflow-wrap: anywhere;
}
h1 { font-size: 1.1rem; font-weight: 600; margin: 0; color: var(--faint); }
h2 { font-size: 1.25rem; line-height: 1.3; margin: 3rem 0 .5rem; }
h3 { font-size: 1rem; margin: 1.5rem 0 .25rem; }
p { margin: .5rem 0; max-width: 48rem; }
.headline { font-size: 1.55rem; line-height: 1.35; font-weight: 600; margin: .4rem 0 .8rem; max-width: 60rem; text-wrap: pretty; }
.faint, .note { color: var(--faint); }
.note { font-size: .875rem; }
.tiles { display: grid; grid-template-columns: repeat(auto-fit, minmax(10.5rem, 1fr)); gap: .75rem; margin: 1.5rem 0; padding: 0; }
.tiles div { background: var(--raised); border-radius: .5rem; padding: .7rem .9rem; }
.tiles dt { color: var(--faint); font-size: .875rem; }
.tiles dd { margin: 0; font-size: 1.3rem; font-weight: 600; font-variant-numeric: tabular-nums; }
.tiles small { display: block; font-size: .8125rem; font-weight: 400; color: var(--faint); }
.charts { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(100%, 26rem), 1fr)); gap: 1rem 2rem; margin: 1rem 0; align-items: start; }
.charts figure { margin: 0; min-width: 0; }
.charts svg { display: block; width: 100%; height: auto; max-width: 33rem; }
.findings { list-style: none; margin: 1rem 0; padding: 0; max-width: 60rem; }
.findings li { position: relative; padding: .3rem 0 .3rem 1.9rem; }
.findings .sign { position: absolute; left: .2rem; font-weight: 700; }
.findings .good .sign { color: var(--good); }
.findings .bad .sign { color: var(--bad); }
.findings .neutral .sign { color: var(--faint); }
.findings .warning { background: var(--warn-ground); border-left: 3px solid var(--warn-line); border-radius: .25rem; padding: .55rem .9rem .55rem 2.2rem; margin: .5rem 0; }
.findings .warning .sign { left: .8rem; }
.scroll { overflow-x: auto; margin: .75rem 0 .25rem; }
table { border-collapse: collapse; font-size: .875rem; font-variant-numeric: tabular-nums; }
.scroll table { width: 100%; overflow-wrap: normal; }
.scroll th, .scroll td { padding: .4rem .42rem; border-bottom: 1px solid var(--line); text-align: left; vertical-align: top; }
.scroll .right { text-align: right; }
.scroll td { white-space: nowrap; }
.scroll td.left { white-space: normal; min-width: 7.5rem; overflow-wrap: anywhere; }
.scroll thead th { color: var(--faint); font-weight: 600; vertical-align: bottom; }
.scroll tbody th { font-weight: 600; position: sticky; left: 0; background: var(--ground); max-width: 14rem; overflow-wrap: anywhere; }
.scroll tbody th.short { white-space: nowrap; }
tr.best td, tr.best th { color: var(--good); font-weight: 600; }
tr.control td, tr.control th { color: var(--faint); font-style: italic; }
.example { border-top: 1px solid var(--line); padding: 1rem 0; }
.example dl { display: grid; grid-template-columns: minmax(6rem, 11rem) 6.5rem minmax(0, 1fr); gap: .35rem 1rem; margin: 0; }
.example dt { grid-column: 1; color: var(--faint); font-size: .875rem; padding-top: .1rem; }
.example dd { margin: 0; }
.example dd.reward { grid-column: 2; font-variant-numeric: tabular-nums; font-size: .875rem; white-space: nowrap; padding-top: .1rem; }
.example dd.text { grid-column: 3; }
.example .given { color: var(--faint); }
.example dd.reference { font-weight: 600; }
.bar { width: 3rem; height: .5rem; margin-right: .45rem; vertical-align: baseline; }
.bar .track { fill: var(--line); }
.bar .fill { fill: var(--chart-blue); }
mark { background: none; color: inherit; text-decoration: underline 2px var(--chart-vermillion); text-underline-offset: .22em; text-decoration-skip-ink: none; }
.gap { color: var(--chart-vermillion); font-weight: 700; user-select: none; }
.glossary, .facts { display: grid; grid-template-columns: minmax(8rem, 13rem) minmax(0, 1fr); gap: .4rem 1.25rem; max-width: 60rem; margin: 1rem 0; font-size: .9375rem; }
.glossary dt, .facts dt { font-weight: 600; }
.glossary dd, .facts dd { margin: 0; }
details { margin: 1rem 0; }
summary { cursor: pointer; font-weight: 600; }
pre { background: var(--raised); border-radius: .5rem; padding: 1rem; overflow-x: auto; white-space: pre-wrap; font: .8125rem/1.5 ui-monospace, SFMono-Regular, Menlo, Consolas, "DejaVu Sans Mono", monospace; }
@media (max-width: 40rem) {
  body { padding: 1.25rem 1rem 3rem; }
  .headline { font-size: 1.25rem; }
  .tiles { grid-template-columns: 1fr 1fr; gap: .5rem; }
  .glossary, .facts { grid-template-columns: 1fr; gap: .1rem; }
  .glossary dd, .facts dd { margin-bottom: .6rem; }
  .example dl { grid-template-columns: 1fr auto; gap: 0 .75rem; }
  .example dt { margin-top: .5rem; }
  .example dd.reward { margin-top: .5rem; }
  .example dd.text { grid-column: 1 / -1; }
}
@media print {
  .scroll { overflow: visible; }
  figure, .example, tr { break-inside: avoid; }
}
`;
