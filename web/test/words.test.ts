import assert from "node:assert/strict";
import { test } from "node:test";
import type { Alert, TrackView, View } from "../src/model";
import {
  claimWords, reasonWords, countdown, direction, distance, duration, motionWords, recordBanner, seconds, sentence, told,
} from "../src/words";

const AT = 1_790_000_000;

const alert: Alert = {
  time: AT, alert: "a", revision: 2, level: "imminent", state: "active-unacked", units: ["b"], track: "T", behaviour: "direct-run",
  text: { en: "x" }, expires: AT + 60, bearing_deg: 45, range_m: 1200, time_to_impact_s: [15, 25],
};

const view: View = {
  at: AT, speed: 1, mode: "live", site: { name: "s", lat_deg: 0, lon_deg: 0 }, summary: "", tracks: [],
  units: [{ unit: "b", mobility: "foot", sidc: "", callsign: "Patrol B", lat_deg: 1, lon_deg: 1, age_s: 2 }],
  alerts: [], feeds: [], record: { state: "good" }, shed: {},
};

test("metres up to 2 km, then kilometres", () => {
  assert.deepEqual([7.4, 99.4, 1234, 1999, 2000, 12_340].map(distance), ["7 m", "99 m", "1230 m", "2000 m", "2.0 km", "12.3 km"]);
});

test("eight points and three digits, all the way round", () => {
  assert.deepEqual([0, 45, 359.7, 338, -45, 720].map(direction), ["N 000°", "NE 045°", "N 000°", "N 338°", "NW 315°", "N 000°"]);
});

test("a duration is never negative and never loses its unit", () => {
  assert.deepEqual([-3, 0, 119, 120, 7199, 7200, 200_000].map(duration), ["0 s", "0 s", "119 s", "2 min", "119 min", "2 h", "2 d"]);
});

test("the countdown runs from the alert's own time and stops at now", () => {
  assert.deepEqual(countdown(alert, AT + 5), [10, 20]);
  assert.equal(seconds(countdown(alert, AT) ?? [0, 0]), "15–25 s");
  assert.equal(seconds(countdown(alert, AT + 17) ?? [0, 0]), "now–8 s");
  assert.equal(seconds(countdown(alert, AT + 99) ?? [0, 0]), "now");
  assert.deepEqual(countdown(alert, AT - 5), [15, 25]);
});

test("no time to impact stays unknown", () => {
  const { time_to_impact_s: _, ...unknown } = alert;
  assert.equal(countdown(unknown, AT), null);
});

test("a person at risk without a receipt is a row of its own, first", () => {
  const two = { ...alert, units: ["b", "c"] };
  const rows = told(view, two, [{ time: AT, alert: "a", revision: 2, recipient: "c", channel: "tak", fact: "accepted" }]);
  assert.deepEqual(rows.map((row) => [row.recipient, row.fact]), [["Patrol B", null], ["c", "accepted"]]);
});

test("the furthest fact of the newest revision is told, in whatever order receipts came", () => {
  const receipt = (revision: number, fact: "accepted" | "shown" | "acknowledged", by?: string) =>
    ({ time: AT, alert: "a", revision, recipient: "b", channel: "tak", fact, ...(by ? { by } : {}) });
  const list = [receipt(1, "acknowledged", "Ruiz"), receipt(2, "shown"), receipt(2, "accepted")];
  for (const order of [list, [...list].reverse()]) assert.equal(told(view, alert, order)[0]?.fact, "shown");
  assert.match(told(view, alert, list.slice(0, 1))[0]?.words ?? "", /acknowledged by Ruiz .* older text/);
});

test("a record that is not complete says so and says that warnings go on", () => {
  assert.equal(recordBanner(view), null);
  assert.match(recordBanner({ ...view, record: { state: "degraded", waiting: 7 } }) ?? "", /degraded.* 7 events.*0 messages.*Warnings still go out/);
  assert.match(recordBanner({ ...view, record: { state: "off" } }) ?? "", /Nothing is being recorded/);
});

test("a reason becomes a sentence once", () => {
  assert.deepEqual(["no frames", "No frames.", " why? "].map(sentence), ["No frames.", "No frames.", "Why?"]);
});

const track: TrackView = {
  id: "T", lat_deg: 1, lon_deg: 1, course_deg: 0, speed_mps: 27.6, climb_mps: 0, age_s: 0, existence: 1, sidc: "", beliefs: {},
  ellipse: { semi_major_m: 5, semi_minor_m: 5, azimuth_deg: 0 },
};

test("what a drone says of itself is told as a claim, with what it is worth", () => {
  assert.equal(claimWords(track), "Claims no identity");
  assert.equal(claimWords({ ...track, trust: "ghost" }), "Claims no identity, probably not there");
  const identity = { scheme: "remote-id-serial", id: "1581F" };
  assert.equal(claimWords({ ...track, identity, trust: "contradicted" }), "Claims 1581F, contradicted");
});

test("why a claim is worth so much is said in words", () => {
  const identity = { scheme: "remote-id-serial", id: "1581F" };
  const doubted = { ...track, identity, trust: "contradicted" as const, trust_reasons: ["position-disagrees:400m", "frozen:8s"] };
  assert.equal(claimWords(doubted), "Claims 1581F, contradicted (sensors see it 400 m from there; the same place for 8 s while it states a speed)");
  const agreed = { ...track, identity, trust: "verified" as const, trust_reasons: ["agrees-with:radar-1", "agrees-with:df-9m"] };
  assert.equal(claimWords(agreed), "Claims 1581F, other sensors agree (radar-1; df-9m)");
  assert.equal(claimWords({ ...track, trust: "ghost", trust_reasons: ["no-body-in-view"] }),
    "Claims no identity, probably not there (sensors that should see a body there see none)");
  assert.equal(reasonWords("impossible-jump:400mps"), "its places jump at 400 m/s");
  assert.equal(reasonWords("two-places:1200m"), "the same name is sent from 1200 m away");
  assert.equal(reasonWords("bearing-disagrees:25deg"), "heard 25° away from where it says");
  assert.deepEqual(["many-names:1", "many-names:3"].map(reasonWords), ["1 more name from one body", "3 more names from one body"]);
  assert.equal(reasonWords("position-disagrees"), "sent from where its body is not");
  for (const unknown of ["something-new:4m", "toString:1", "__proto__:1", ""]) assert.equal(reasonWords(unknown), unknown);
});

test("a height that is not known is never a number", () => {
  assert.deepEqual(motionWords(track), ["28 m/s", "height unknown"]);
  assert.deepEqual(motionWords({ ...track, height_m: 0 }), ["28 m/s", "0 m up"]);
});

test("a person's name stands once in a row of his own", () => {
  const shown = { time: AT, alert: "a", revision: 2, recipient: "b", channel: "tak", fact: "shown" as const };
  assert.doesNotMatch(told(view, alert, [{ ...shown, by: "Patrol B" }])[0]?.words ?? "", / by /);
  assert.match(told(view, alert, [{ ...shown, by: "Ruiz" }])[0]?.words ?? "", /shown by Ruiz /);
});
