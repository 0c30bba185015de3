// Every feed with its figures. One that is fine takes one line and opens on a click; one that is not is open.

import { html, nothing, type TemplateResult } from "lit";
import { repeat } from "lit/directives/repeat.js";
import { families, type Family, feedDetails, isFine, lineWords, partName } from "../feeds";
import type { FeedView } from "../model";
import type { Desk } from "./state";

const PARTS_SHOWN = 6;

export function feeds(desk: Desk): TemplateResult {
  return html`
    <section class="feeds">
      <h2>Feeds</h2>
      <ul>${repeat(families(desk.view.feeds), (family) => family.name, (family) => familyRow(desk, family))}</ul>
    </section>`;
}

function familyRow(desk: Desk, family: Family): TemplateResult {
  const head = family.feed ? feedRow(desk, family.feed, family.name) : html`<b class="feed-name">${family.name}</b>`;
  return html`<li>${head}${family.parts.length === 0 ? nothing : html`<ul class="parts">${parts(desk, family.parts)}</ul>`}</li>`;
}

/** Of many parts those that are fine are one line together, or they would hide the others. */
function parts(desk: Desk, all: FeedView[]): TemplateResult {
  const fine = all.filter(isFine);
  if (all.length <= PARTS_SHOWN || fine.length < 2) return partRows(desk, all);
  return html`${partRows(desk, all.filter((part) => !isFine(part)))}
    <li><details class="feed"><summary><b class="feed-name">${fine.length} others</b><span class="feed-state">watching</span></summary>
      <ul>${partRows(desk, fine)}</ul></details></li>`;
}

const partRows = (desk: Desk, rows: FeedView[]): TemplateResult =>
  html`${repeat(rows, (part) => part.feed, (part) => html`<li>${feedRow(desk, part, partName(part))}</li>`)}`;

function feedRow(desk: Desk, feed: FeedView, name: string): TemplateResult {
  const { bad, plain } = feedDetails(feed, desk.at);
  const fine = isFine(feed);
  return html`
    <details class="feed feed-${feed.state} ${fine ? "is-fine" : ""}" ?open=${!fine}>
      <summary><b class="feed-name" title=${feed.feed}>${name}</b><span class="feed-state num">${lineWords(feed, desk.at)}</span></summary>
      ${bad.map((words) => html`<p class="bad num">${words}</p>`)}
      ${plain.map((words) => html`<p class="muted num">${words}</p>`)}
    </details>`;
}
