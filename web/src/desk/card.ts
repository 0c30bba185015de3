// One alert, in the order in which an eye needs it: how bad, how long, who, from where, why, who knows.

import { html, nothing, type TemplateResult } from "lit";
import { rangeAndBearing } from "../geo";
import { type Alert, type AlertView, needsHand, type TrackView, type View } from "../model";
import { placeOf, unitPlace } from "../map/features";
import { alertText, asOfNow, claimWords, countdown, direction, distance, known, motionWords, seconds, sentence, STATE_WORDS, told, unitName, utc } from "../words";
import { shape } from "./shapes";
import { type Desk, may, SENDING } from "./state";

export function card(desk: Desk, shown: AlertView): TemplateResult {
  const { alert } = shown;
  const current = desk.selected === alert.alert;
  return html`
    <li class="card level-${alert.level} ${current ? "selected" : ""} ${needsHand(shown) ? "needs-hand" : "in-hand"}"
        data-alert=${alert.alert} tabindex="0" aria-current=${current ? "true" : "false"}
        @click=${() => desk.select(alert.alert)} @focus=${() => desk.select(alert.alert)}>
      ${head(desk, asOfNow(shown))} ${who(desk.view, shown)} ${where(desk.view, asOfNow(shown))} ${why(alert)} ${claim(desk.view, alert)}
      ${toldRows(desk.view, shown)} ${foot(desk, shown)}
    </li>`;
}

function head(desk: Desk, alert: Alert): TemplateResult {
  const time = countdown(alert, desk.at);
  return html`
    <div class="card-head">
      <span class="level">${shape(alert.level)}<b>${alert.level.toUpperCase()}</b></span>
      ${time ? html`<span class="seconds num" title="Time to impact: early (1 in 10) to middle estimate">${desk.link === "lost" ? "was " : ""}${seconds(time)}</span>` : html`<span class="muted num">${earliest(alert)}</span>`}
    </div>`;
}

/** Not on its way as it flies now; how soon it could come is said all the same. */
const earliest = (alert: Alert): string =>
  known(alert.earliest_s) ? `not closing, at worst ${Math.max(1, Math.round(alert.earliest_s))} s` : "not closing";

function who(view: View, shown: AlertView): TemplateResult {
  const { alert } = shown;
  const mark = alert.status ? html`<i class="exercise-tag">${alert.status.toUpperCase()}</i>` : nothing;
  const count = Math.max(alert.count ?? 1, shown.drones?.length ?? 1);
  const many = count > 1 ? html`<b class="count num">${count} drones</b>` : nothing;
  return html`<p class="who">${alert.units.map((unit) => unitName(view, unit)).join(", ")} ${many} ${mark}</p>
    ${decided(alert).map((words) => html`<p class="muted decided">${words}</p>`)}`;
}

/** What people decided about it. */
function decided(alert: Alert): string[] {
  const lowered = alert.desk_level ? [`Lowered to ${alert.desk_level} here.`] : [];
  const out = alert.out_of_service ? [`Out of service, ${sentence(alert.out_of_service)}`] : [];
  const quiet = alert.silenced ? [`No sound, ${sentence(alert.silenced)}`] : [];
  const child = alert.suppressed ? [`No sound here, ${sentence(alert.suppressed)}`] : [];
  const shelved = (alert.shelved ?? []).map((s) => `Shelved at ${s.desk} until ${utc(s.until)}, ${s.by}: ${sentence(s.reason)}`);
  return [...lowered, ...out, ...quiet, ...child, ...shelved];
}

/** From the unit, as the picture stands now; as the alert said it where the picture no longer holds both. */
function where(view: View, alert: Alert): TemplateResult {
  const track = view.tracks.find((candidate) => candidate.id === alert.track);
  const { rangeM, azimuthDeg, then } = geometry(view, alert, track);
  const far = known(rangeM) ? distance(rangeM) : "distance unknown";
  const parts = [`from ${direction(azimuthDeg)}`, far, ...(track ? motionWords(track) : [])];
  return html`<p class="where num">${parts.join(", ")}${then ? html` <span class="muted">${then}</span>` : nothing}</p>
    <p class="text">Message: ${alertText(alert)}</p>`;
}

function geometry(view: View, alert: Alert, track: TrackView | undefined) {
  const unit = view.units.find((candidate) => candidate.unit === alert.units[0]);
  const place = unit ? unitPlace(unit) : null;
  if (track && place) return { ...rangeAndBearing(place, placeOf(track)), then: "" };
  const then = known(alert.range_m) ? `at ${utc(alert.time)}, no position now` : "";
  return { rangeM: alert.range_m, azimuthDeg: alert.bearing_deg, then };
}

function why(alert: Alert): TemplateResult | typeof nothing {
  const reasons = (alert.evidence ?? []).slice(0, 3);
  if (reasons.length === 0) return nothing;
  return html`<ul class="why">${reasons.map(([words]) => html`<li>${words}</li>`)}</ul>`;
}

function claim(view: View, alert: Alert): TemplateResult | typeof nothing {
  const track = view.tracks.find((candidate) => candidate.id === alert.track);
  return track ? html`<p class="claim">${claimWords(track)}</p>` : nothing;
}

function toldRows(view: View, shown: AlertView): TemplateResult {
  const rows = told(view, shown.alert, shown.receipts ?? []);
  return html`
    <table class="told"><caption class="hidden">Who has been told</caption><tbody>
      ${rows.map((row) => html`<tr class="fact-${row.fact ?? "none"}"><th scope="row">${row.recipient}</th><td class="num">${row.words}</td></tr>`)}
    </tbody></table>`;
}

function foot(desk: Desk, shown: AlertView): TemplateResult {
  const { alert } = shown;
  const by = alert.acknowledged_by ? ` by ${alert.acknowledged_by}` : "";
  const sent = desk.pending.get(alert.alert);
  return html`
    ${sent && sent !== SENDING ? html`<p class="failed" role="alert">${sent}</p>` : nothing}
    <div class="card-foot">
      <span class="state">${STATE_WORDS[alert.state]}${by}${shown.unlogged ? html`<b class="unlogged">not on record</b>` : nothing}</span>
      ${needsHand(shown) && may(desk.session, "acknowledge-desk") ? ackButton(desk, alert, sent) : nothing}
    </div>`;
}

function ackButton(desk: Desk, alert: Alert, sent: string | undefined): TemplateResult {
  const press = (event: Event) => {
    event.stopPropagation();
    desk.acknowledge(alert.alert);
  };
  return html`<button class="ack" ?disabled=${sent === SENDING || desk.link !== "live"} @click=${press}>
    ${sent === SENDING ? "Acknowledging" : html`Acknowledge ${hasKey(desk, alert) ? html`<kbd>A</kbd>` : nothing}`}</button>`;
}

/** The key acts on the selected card; with none selected it selects the first that needs a hand. */
function hasKey(desk: Desk, alert: Alert): boolean {
  const first = desk.view.alerts.find(needsHand)?.alert.alert;
  return alert.alert === (desk.selected ?? first);
}

export function closedRow(view: View, { alert, worst }: AlertView): TemplateResult {
  const reason = alert.reason ? sentence(alert.reason) : "";
  const said = alert.acknowledged_by && reason.includes(alert.acknowledged_by);
  const by = alert.acknowledged_by ? (said ? "" : ` Acknowledged by ${alert.acknowledged_by}.`) : " Nobody acknowledged.";
  const units = alert.units.map((unit) => unitName(view, unit)).join(", ");
  return html`<li class="closed level-${worst}">${shape(worst)}<span>
    <b>${units}</b>, ${worst.toUpperCase()}, ended <span class="num">${utc(alert.time)}</span>.
    <span class="muted">${reason}${by}</span></span></li>`;
}
