// The right side: what is not being watched, first; then every feed with its figures.

import { html, nothing, type TemplateResult } from "lit";
import type { FeedView } from "../model";
import { duration, known, notWatched, type Gap } from "../words";
import type { Desk } from "./state";

export function panel(desk: Desk): TemplateResult {
  const gaps = notWatched(desk.view);
  return html`
    <aside class="panel" aria-label="Watch">
      <section class="gaps ${gaps.length > 0 ? "hatched" : ""}" aria-live="polite">
        <h2>Not watched ${gaps.length > 0 ? html`<span class="count num">${gaps.length}</span>` : nothing}</h2>
        ${gaps.length > 0 ? html`<ul>${gaps.map(gapRow)}</ul>` : html`<p class="muted">No feed is out and every unit is heard. Masked ground is not shown yet.</p>`}
      </section>
      <section class="feeds">
        <h2>Feeds</h2>
        <ul>${desk.view.feeds.map((feed) => feedRow(desk, feed))}</ul>
      </section>
    </aside>`;
}

const gapRow = (gap: Gap): TemplateResult => html`<li><b>${gap.what}</b><span>${gap.why}</span></li>`;

function feedRow(desk: Desk, feed: FeedView): TemplateResult {
  const age = known(feed.last_data) ? `last data ${duration(desk.at - feed.last_data)} ago` : "no data yet";
  const bad = Object.entries(feed.quarantined).filter(([, count]) => count > 0);
  return html`
    <li class="feed-${feed.state}"><b>${feed.feed}</b><span class="feed-state">${feed.state}</span>
      <span class="muted num">${feed.detections} detections, ${age}</span>
      ${bad.map(([reason, count]) => html`<span class="muted num">refused ${count}: ${reason}</span>`)}</li>`;
}
