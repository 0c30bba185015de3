// The right side: what is not being watched, first; then what is tracked, and every feed with its figures.

import { html, nothing, type TemplateResult } from "lit";
import { repeat } from "lit/directives/repeat.js";
import { rangeAndBearing } from "../geo";
import { isStale, placeOf, urgency } from "../map/features";
import { type Gap, neverWatched, notWatched } from "../gaps";
import type { TrackView } from "../model";
import { claimWords, direction, distance, duration, motionWords } from "../words";
import { feeds } from "./feeds";
import type { Desk } from "./state";

const TRACKS_SHOWN = 30;

export function panel(desk: Desk): TemplateResult {
  const gaps = notWatched(desk.view);
  return html`
    <aside class="panel" aria-label="Watch">
      <section class="gaps hatched">
        <h2>Not watched</h2>
        <p class="hidden" aria-live="polite">${gaps.map((gap) => gap.what).join(", ")}</p>
        <ul class="now">${gaps.map(gapRow)}</ul>
        <ul class="always">${neverWatched(desk.view).map(gapRow)}</ul>
      </section>
      ${tracked(desk)}
      ${feeds(desk)}
    </aside>`;
}

const gapRow = (gap: Gap): TemplateResult =>
  html`<li class=${gap.reservation ? "reservation" : ""}><b>${gap.what}</b><span>${gap.why}</span></li>`;

/** What threatens somebody first; the rest by name, so that a row stays where it is. */
function tracked(desk: Desk): TemplateResult {
  const ranks = urgency(desk.view);
  const rank = (track: TrackView): number => ranks.get(track.id) ?? 0;
  const tracks = [...desk.view.tracks].sort((a, b) => rank(b) - rank(a) || (a.id < b.id ? -1 : 1));
  const rest = tracks.length - TRACKS_SHOWN;
  return html`
    <section class="tracks">
      <h2>Tracked <span class="count num">${tracks.length}</span></h2>
      <ul>${repeat(tracks.slice(0, TRACKS_SHOWN), (track) => track.id, (track) => trackRow(desk, track))}</ul>
      ${rest > 0 ? html`<p class="muted num">and ${rest} more on the map</p>` : nothing}
    </section>`;
}

function trackRow(desk: Desk, track: TrackView): TemplateResult {
  const { lon_deg, lat_deg, name } = desk.view.site;
  const { rangeM, azimuthDeg } = rangeAndBearing([lon_deg, lat_deg], placeOf(track));
  const now = isStale(track) ? `last seen ${duration(track.age_s)} ago` : motionWords(track).join(", ");
  return html`
    <li class=${isStale(track) ? "stale" : ""}>
      <button class="row" title="Show on the map" @click=${() => desk.show(track.id)}>
        <b>${track.id}</b><span class="num" title=${`from ${name}`}>${direction(azimuthDeg)}, ${distance(rangeM)}</span>
        <span class="muted num">${now}</span><span class="muted">${claimWords(track)}</span>
      </button></li>`;
}
