"""The page's style: one column, figures beside their plots, calm colours that tell levels apart in print.

The categorical colours are those of Okabe and Ito (jfly.uni-koeln.de/color), which readers with the common
colour deficiencies can tell apart; those of the levels are the product's own order of urgency.
"""

STYLE = """
:root { color-scheme: light dark; --ink:#1d2429; --soft:#5a6770; --line:#d8dee3; --paper:#ffffff;
  --card:#f5f7f8; --blue:#0072b2; --orange:#c65102; --green:#008060; --violet:#9a4f88; --sky:#3a9bd1;
  --imminent:#b3261e; --warning:#c65102; --advisory:#a07800; --info:#7d8a93; --band:#0072b222; }
@media (prefers-color-scheme: dark) { :root { --ink:#e4e9ec; --soft:#a2afb8; --line:#39444c; --paper:#14191d;
  --card:#1d242a; --blue:#58b0e8; --orange:#f08c48; --green:#3cc096; --violet:#d08cc0; --sky:#86c8ee;
  --imminent:#ff6b60; --warning:#f08c48; --advisory:#e0b840; --info:#93a1aa; --band:#58b0e833; } }
* { box-sizing: border-box; }
html { background: var(--paper); }
body { margin: 0 auto; padding: 28px 22px 60px; max-width: 1080px; color: var(--ink);
  font: 16px/1.5 system-ui, "Segoe UI", "Liberation Sans", "DejaVu Sans", sans-serif; }
h1 { font-size: 1.75rem; line-height: 1.2; margin: 0 0 4px; }
h2 { font-size: 1.25rem; margin: 44px 0 6px; padding-top: 14px; border-top: 2px solid var(--line); }
h3 { font-size: 1.02rem; margin: 24px 0 4px; } h4 { font-size: .95rem; margin: 8px 0 2px; }
p { max-width: 74ch; margin: 6px 0 12px; }
.soft, figcaption, .note { color: var(--soft); }
.soft, figcaption { font-size: .9rem; }
nav { margin: 14px 0 0; font-size: .92rem; } nav a { margin-right: 14px; white-space: nowrap; }
a { color: var(--blue); }
.cards { display: grid; grid-template-columns: repeat(auto-fit, minmax(172px, 1fr)); gap: 12px;
  margin: 18px 0; }
.card { background: var(--card); border-radius: 8px; padding: 12px 14px; }
.card b { display: block; font-size: 1.7rem; line-height: 1.15; font-variant-numeric: tabular-nums; }
.card span { display: block; font-size: .87rem; color: var(--soft); }
.pair { display: grid; grid-template-columns: repeat(auto-fit, minmax(420px, 1fr)); gap: 8px 28px;
  align-items: start; }
figure { margin: 8px 0 4px; max-width: 620px; } figure.wide { max-width: none; overflow: visible; }
svg { width: 100%; height: auto; display: block; }
svg text { font: 11.5px system-ui, "Liberation Sans", "DejaVu Sans", sans-serif; fill: var(--soft); }
svg text.title { fill: var(--ink); font-size: 12px; } svg text.name { fill: var(--ink); font-size: 12px; }
svg text.note { fill: var(--soft); font-size: 11px; }
.grid { stroke: var(--line); stroke-width: 1; } .axis { stroke: var(--soft); stroke-width: 1; }
.curve { fill: none; stroke: var(--blue); stroke-width: 2.4; } .second { fill: none; stroke: var(--orange);
  stroke-width: 2.4; stroke-dasharray: 6 4; } .third { fill: none; stroke: var(--green); stroke-width: 2;
  stroke-dasharray: 2 3; }
.band { fill: var(--band); stroke: none; } .dashed { fill: none; stroke: var(--soft); stroke-width: 1.2;
  stroke-dasharray: 5 4; }
.dot { fill: var(--blue); } .dot2 { fill: var(--orange); } .whisker { stroke: var(--blue); stroke-width: 2; }
.whisker2 { stroke: var(--orange); stroke-width: 2; }
.bar { fill: var(--blue); } .seen { fill: var(--blue); } .others { fill: var(--info); opacity: .55; }
.track { fill: var(--green); } .l-imminent { fill: var(--imminent); } .l-warning { fill: var(--warning); }
.l-advisory { fill: var(--advisory); } .l-info { fill: var(--info); }
.s-imminent { color: var(--imminent); } .s-warning { color: var(--warning); }
.s-advisory { color: var(--advisory); } .s-info { color: var(--info); }
.flown { fill: none; stroke: var(--ink); stroke-width: 1.6; stroke-dasharray: 5 4; }
.believed { fill: none; stroke: var(--green); stroke-width: 2.2; } .tick { fill: var(--ink); }
.walked { fill: none; stroke: var(--soft); stroke-width: 1; } .unit { fill: var(--blue); }
.faint { opacity: .45; } .ring { fill-opacity: .35; stroke: var(--ink); stroke-width: 1; }
.frame { fill: none; stroke: var(--line); }
.mark { stroke: var(--imminent); stroke-width: 1.6; }
div.wide { overflow-x: auto; }
table { border-collapse: collapse; margin: 8px 0 14px; font-size: .92rem;
  font-variant-numeric: tabular-nums; }
th, td { padding: 4px 12px 4px 0; text-align: left; border-bottom: 1px solid var(--line);
  vertical-align: top; }
th { font-weight: 600; color: var(--soft); } td.n, th.n { text-align: right; white-space: nowrap; }
td small { color: var(--soft); }
code { font: .86rem ui-monospace, "DejaVu Sans Mono", monospace; background: var(--card); padding: 2px 5px;
  border-radius: 4px; overflow-wrap: anywhere; }
details { margin: 6px 0; } summary { cursor: pointer; color: var(--blue); }
.better { color: var(--green); } .worse { color: var(--imminent); }
@media print { body { max-width: none; padding: 0; font-size: 11pt; } nav { display: none; }
  figure, table, .card { break-inside: avoid; } h2, h3, h4 { break-after: avoid; }
  .pair { grid-template-columns: 1fr 1fr; gap: 6px 18px; } th, td { padding: 2px 8px 2px 0; }
  details::details-content { content-visibility: visible; block-size: auto; }
  details { break-inside: avoid; } summary { color: var(--ink); list-style: none; } }
"""
