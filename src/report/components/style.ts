/** The style sheet of the components, for the pages that open from disk and for the dashboard; without any address in it. */

export const COMPONENT_STYLE = `
:root {
  color-scheme: light dark;
  --ground: #ffffff; --raised: #f5f6f8; --ink: #1b1f24; --faint: #59626d; --line: #d9dee4; --accent: #0063a0;
  --good: #00694d; --bad: #a23b00; --warn-ground: #fff4e0; --warn-line: #e69f00;
  --chart-blue: #0072b2; --chart-green: #009e73; --chart-vermillion: #d55e00;
  --chart-purple: #b0538a; --chart-orange: #e69f00; --chart-sky: #56b4e9;
}
@media (prefers-color-scheme: dark) {
  :root {
    --ground: #14171b; --raised: #1d2127; --ink: #e6e9ed; --faint: #a3adb8; --line: #343b44; --accent: #7cc4f0;
    --good: #4fc9a3; --bad: #ff9a5c; --warn-ground: #2e2512; --warn-line: #e69f00;
    --chart-blue: #56b4e9; --chart-green: #21b98d; --chart-vermillion: #ef7d2b;
    --chart-purple: #cc79a7; --chart-orange: #e69f00; --chart-sky: #9ad3f5;
  }
}
* { box-sizing: border-box; }
body {
  background: var(--ground); color: var(--ink);
  font: 16px/1.5 system-ui, -apple-system, "Segoe UI", Roboto, "Helvetica Neue", "Noto Sans", Arial, sans-serif;
  overflow-wrap: anywhere;
}
h3 { font-size: 1rem; margin: 1.25rem 0 .25rem; }
p { margin: .5rem 0; max-width: 48rem; }
.faint, .note { color: var(--faint); }
.note { font-size: .875rem; }
.hidden { position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%); white-space: nowrap; }
.tiles { display: grid; grid-template-columns: repeat(auto-fit, minmax(10.5rem, 1fr)); gap: .75rem; margin: 1.25rem 0; padding: 0; }
.tiles div { background: var(--raised); border-radius: .5rem; padding: .65rem .9rem; }
.tiles dt { color: var(--faint); font-size: .875rem; }
.tiles dd { margin: 0; font-size: 1.25rem; font-weight: 600; font-variant-numeric: tabular-nums; }
.tiles small { display: block; font-size: .8125rem; font-weight: 400; color: var(--faint); }
.charts { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(100%, 26rem), 1fr)); gap: 1rem 2rem; margin: 1rem 0; align-items: start; }
.charts figure { margin: 0; min-width: 0; }
.findings { list-style: none; margin: 1rem 0; padding: 0; max-width: 60rem; }
.findings li { position: relative; padding: .3rem 0 .3rem 1.9rem; }
.findings .sign { position: absolute; left: .2rem; font-weight: 700; }
.findings .good .sign { color: var(--good); }
.findings .bad .sign { color: var(--bad); }
.findings .neutral .sign { color: var(--faint); }
.findings .warning { background: var(--warn-ground); border-left: 3px solid var(--warn-line); border-radius: .25rem; padding: .55rem .9rem .55rem 2.2rem; margin: .5rem 0; }
.findings .warning .sign { left: .8rem; }
.scroll { overflow-x: auto; margin: .75rem 0 .25rem; position: relative; }
/* What is cut off at a side has a shadow there. */
.scroll {
  background:
    linear-gradient(to right, var(--ground) 30%, transparent) left / 2.5rem 100% local,
    linear-gradient(to left, var(--ground) 30%, transparent) right / 2.5rem 100% local,
    linear-gradient(to right, var(--line), transparent) left / .75rem 100% scroll,
    linear-gradient(to left, var(--line), transparent) right / .75rem 100% scroll;
  background-repeat: no-repeat;
}
table { border-collapse: separate; border-spacing: 0; font-size: .875rem; font-variant-numeric: tabular-nums; }
.scroll table { width: 100%; overflow-wrap: normal; }
.scroll th, .scroll td { padding: .4rem .42rem; border-bottom: 1px solid var(--line); text-align: left; vertical-align: top; }
.scroll .right { text-align: right; }
.scroll td { white-space: nowrap; }
.scroll td.left { white-space: normal; min-width: 7.5rem; overflow-wrap: anywhere; }
.scroll thead th { color: var(--faint); font-weight: 600; vertical-align: bottom; }
.scroll tbody th { font-weight: 600; position: sticky; left: 0; background: var(--ground); max-width: 14rem; overflow-wrap: anywhere; }
.scroll tbody th .short { white-space: nowrap; }
tr.best td, tr.best th { color: var(--good); font-weight: 600; }
tr.control td, tr.control th { color: var(--faint); font-style: italic; }
.texts { display: grid; grid-template-columns: max-content minmax(0, 1fr); gap: .25rem 1rem; margin: 0 0 .75rem; }
.texts dt { color: var(--faint); font-size: .875rem; }
.texts dd { margin: 0; }
.reward { display: inline-flex; align-items: center; gap: .4rem; font-variant-numeric: tabular-nums; white-space: nowrap; }
.reward-bar .track { fill: var(--line); }
mark { background: none; color: inherit; text-decoration: underline 2px var(--chart-vermillion); text-underline-offset: .22em; text-decoration-skip-ink: none; }
.gap { color: var(--bad); font-weight: 700; user-select: none; }
.facts { display: grid; grid-template-columns: minmax(8rem, 13rem) minmax(0, 1fr); gap: .4rem 1.25rem; max-width: 60rem; margin: 1rem 0; font-size: .9375rem; }
.facts dt { font-weight: 600; }
.facts dd { margin: 0; }
@media (max-width: 40rem) {
  .texts { grid-template-columns: minmax(0, 1fr); gap: .1rem; }
  .texts dd { margin-bottom: .4rem; }
  .tiles { grid-template-columns: 1fr 1fr; gap: .5rem; }
  .facts { grid-template-columns: 1fr; gap: .1rem; }
  .facts dd { margin-bottom: .6rem; }
}
`;
