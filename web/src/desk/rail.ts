// The left rail: open alerts, worst and soonest first as the station orders them, then the last closed ones.

import { html, nothing, type TemplateResult } from "lit";
import { repeat } from "lit/directives/repeat.js";
import { gapCount } from "../gaps";
import { isStale } from "../map/features";
import { isOpen, type View } from "../model";
import { known, objects, utc } from "../words";
import { card, closedRow } from "./card";
import type { Desk } from "./state";

const CLOSED_SHOWN = 10;

export function rail(desk: Desk): TemplateResult {
  const open = desk.view.alerts.filter(isOpen);
  const closed = desk.view.alerts.filter((shown) => !isOpen(shown)).slice(0, CLOSED_SHOWN);
  return html`
    <section class="rail" aria-label="Alerts">
      ${open.length === 0 ? quiet(desk.view) : nothing}
      <ul class="cards">${repeat(open, (shown) => shown.alert.alert, (shown) => card(desk, shown))}</ul>
      ${closed.length === 0 ? nothing : html`<h2>Last ended</h2>
        <ul class="closed-list">${repeat(closed, (shown) => shown.alert.alert, (shown) => closedRow(desk.view, shown))}</ul>`}
      <p class="keys muted"><kbd>A</kbd> acknowledge <kbd>↑</kbd><kbd>↓</kbd> select <kbd>T</kbd> show all</p>
    </section>`;
}

function quiet(view: View): TemplateResult {
  const now = view.tracks.filter((track) => !isStale(track)).length;
  const seen = now > 0 ? `${objects(now)} in sight of the sensors, nobody is warned of ${now === 1 ? "it" : "them"}.` : known(view.last_track_seen) ? `Last drone track at ${utc(view.last_track_seen)} UTC.` : "No drone track since this station started.";
  return html`<p class="quiet">No open alert.<br><span class="muted">${seen}${gapCount(view)}</span></p>`;
}
