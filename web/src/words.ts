// Every sentence the desk reads, made from the picture. Times are station times (Unix seconds).

import type { Alert, AlertView, Fact, Receipt, TrackView, View } from "./model";

const POINTS = ["N", "NE", "E", "SE", "S", "SW", "W", "NW"];

export const STALE_S = 5;

export const known = (value: number | null | undefined): value is number => typeof value === "number";

/** HH:MM:SS in UTC. */
export const utc = (at: number): string => new Date(at * 1000).toISOString().slice(11, 19);

/** HH:MM:SS where the desk is. */
export const local = (at: number): string => new Date(at * 1000).toLocaleTimeString("en-GB");

/** Metres up to 2 km, then kilometres. */
export function distance(metres: number): string {
  if (metres < 100) return `${Math.round(metres)} m`;
  if (metres < 2000) return `${Math.round(metres / 10) * 10} m`;
  return `${(metres / 1000).toFixed(1)} km`;
}

/** One of eight points and the degrees: "NE 045°". */
export function direction(azimuthDeg: number): string {
  const degrees = ((Math.round(azimuthDeg) % 360) + 360) % 360;
  return `${POINTS[Math.round(degrees / 45) % 8]} ${String(degrees).padStart(3, "0")}°`;
}

/** "4 s", "3 min", "2 h", "5 d". */
export function duration(seconds: number): string {
  const s = Math.max(0, seconds);
  if (s < 120) return `${Math.floor(s)} s`;
  if (s < 7200) return `${Math.floor(s / 60)} min`;
  return s < 172_800 ? `${Math.floor(s / 3600)} h` : `${Math.floor(s / 86_400)} d`;
}

/** The alert with the figures of now; with those of its last message where there are none. */
export function asOfNow({ alert, now }: AlertView): Alert {
  if (!now) return alert;
  const { time_to_impact_s: _message, earliest_s: _then, range_m: _far, ...said } = alert;
  const figures = {
    ...(known(now.range_m) ? { range_m: now.range_m } : {}),
    ...(now.time_to_impact_s ? { time_to_impact_s: now.time_to_impact_s } : {}),
    ...(known(now.earliest_s) ? { earliest_s: now.earliest_s } : {}),
  };
  return { ...said, time: now.time, bearing_deg: now.bearing_deg, ...figures };
}

/** Seconds until impact as [p10, p50] counted down to station time `at`; null when it is not closing. */
export function countdown(alert: Alert, at: number): [number, number] | null {
  if (!alert.time_to_impact_s) return null;
  const passed = Math.max(0, at - alert.time);
  const [low, high] = alert.time_to_impact_s;
  return [Math.max(0, low - passed), Math.max(0, high - passed)];
}

/** "15–25 s", "now–4 s", "now". */
export function seconds([low, high]: [number, number]): string {
  const [a, b] = [Math.round(low), Math.round(high)];
  if (b <= 0) return "now";
  if (a <= 0) return `now–${b} s`;
  return a === b ? `${a} s` : `${a}–${b} s`;
}

export const unitName = (view: View, unit: string): string =>
  view.units.find((known) => known.unit === unit)?.callsign ?? unit;

export function alertText(alert: Alert): string {
  const language = (navigator.language || "en").slice(0, 2);
  return alert.text[language] ?? alert.text["en"] ?? Object.values(alert.text)[0] ?? "";
}

export const STATE_WORDS: Record<Alert["state"], string> = {
  "active-unacked": "Nobody has acknowledged",
  "active-acked": "Acknowledged",
  "returned-unacked": "Ended, nobody has acknowledged",
  cleared: "Ended",
};

const FACT_WORDS: Record<Fact, string> = {
  accepted: "sent",
  "on-device": "on device",
  shown: "shown",
  acknowledged: "acknowledged",
};

const FACT_RANK: Record<Fact, number> = { accepted: 1, "on-device": 2, shown: 3, acknowledged: 4 };

export interface Told {
  recipient: string;
  words: string;
  fact: Fact | null;
}

const better = (a: Receipt, b: Receipt): Receipt =>
  a.revision !== b.revision ? (a.revision > b.revision ? a : b) : FACT_RANK[b.fact] > FACT_RANK[a.fact] ? b : a;

/** One row a recipient and channel with the furthest fact of its newest revision; a person at risk
 * of whom nothing is known is a row too. */
export function told(view: View, alert: Alert, receipts: Receipt[]): Told[] {
  const furthest = new Map<string, Receipt>();
  for (const receipt of receipts) {
    const key = `${receipt.recipient}\u0000${receipt.channel}`;
    const held = furthest.get(key);
    furthest.set(key, held ? better(held, receipt) : receipt);
  }
  const reached = new Set(receipts.map((receipt) => receipt.recipient));
  const silent = alert.units
    .filter((unit) => !reached.has(unit))
    .map((unit) => ({ recipient: unitName(view, unit), words: "no receipt yet", fact: null }));
  return [...silent, ...[...furthest.values()].map((receipt) => toldRow(view, alert, receipt))];
}

function toldRow(view: View, alert: Alert, receipt: Receipt): Told {
  const name = unitName(view, receipt.recipient);
  const who = receipt.by && receipt.by !== receipt.recipient && receipt.by !== name ? ` by ${receipt.by}` : "";
  const older = receipt.revision < alert.revision ? ", older text" : "";
  const words = `${FACT_WORDS[receipt.fact]}${who} ${utc(receipt.time)}, ${receipt.channel}${older}`;
  return { recipient: name, words, fact: receipt.fact };
}

export function sentence(words: string): string {
  const text = words.trim().replace(/^./, (first) => first.toUpperCase());
  return /[.!?]$/.test(text) ? text : `${text}.`;
}

export function recordWords(view: View): string {
  const record = view.record;
  if (record.state === "good") return "Record complete";
  return record.state === "off" ? "Record off" : "Record degraded";
}

export function recordBanner(view: View): string | null {
  const record = view.record;
  if (record.state === "good") return null;
  if (record.state === "off") return "Nothing is being recorded. Warnings go out, marked unlogged.";
  const why = record.reason ? ` ${sentence(record.reason)}` : "";
  return `The record is degraded.${why} ${record.waiting ?? 0} events wait in memory, ${record.unlogged ?? 0} messages went out unlogged. Warnings still go out.`;
}

const TRUST_WORDS: Record<NonNullable<TrackView["trust"]>, string> = {
  verified: "other sensors agree",
  unverified: "not verified",
  contradicted: "contradicted",
  ghost: "probably not there",
};

const REASON_WORDS: Record<string, (figure: string) => string> = {
  "agrees-with": (sensor) => sensor,
  "position-disagrees": (far) => (far ? `sensors see it ${far} from there` : "sent from where its body is not"),
  "impossible-jump": (speed) => `its places jump at ${speed}`,
  "two-places": (far) => `the same name is sent from ${far} away`,
  "bearing-disagrees": (angle) => `heard ${angle} away from where it says`,
  frozen: (time) => `the same place for ${time} while it states a speed`,
  "many-names": (count) => `${count} more ${count === "1" ? "name" : "names"} from one body`,
  "no-body-in-view": () => "sensors that should see a body there see none",
};

const UNITS: Record<string, string> = { mps: " m/s", deg: "°", m: " m", s: " s" };

/** "position-disagrees:400m" in words; a reason that this page does not know stands as it came. */
export function reasonWords(reason: string): string {
  const [code = "", ...rest] = reason.split(":");
  const figure = rest.join(":");
  const said = Object.hasOwn(REASON_WORDS, code) ? REASON_WORDS[code] : undefined;
  if (!said) return reason;
  return said(code === "agrees-with" ? figure : figure.replace(/(mps|deg|m|s)$/, (unit) => UNITS[unit] ?? unit));
}

/** What the drone says it is, what that is worth and why: "Claims 1581F..., contradicted (sensors see it 400 m from there)". */
export function claimWords(track: TrackView): string {
  const why = (track.trust_reasons ?? []).map(reasonWords).join("; ");
  const trust = track.trust ? `${TRUST_WORDS[track.trust]}${why ? ` (${why})` : ""}` : "";
  if (!track.identity) return trust ? `Claims no identity, ${trust}` : "Claims no identity";
  return `Claims ${track.identity.id}${trust ? `, ${trust}` : ""}`;
}

/** "24 m/s, 64 m up": height is above the site, as the station gives it. */
export function motionWords(track: TrackView): string[] {
  const height = known(track.height_m) ? `${Math.round(track.height_m)} m up` : "height unknown";
  return [`${Math.round(track.speed_mps)} m/s`, height];
}

export const objects = (count: number): string => (count === 1 ? "1 object" : `${count} objects`);
