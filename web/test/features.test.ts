import assert from "node:assert/strict";
import { test } from "node:test";
import { threatFeatures, wedgeFeatures } from "../src/map/features";
import { type Position, rangeAndBearing } from "../src/geo";
import type { View } from "../src/model";

const AT = 1_790_000_000;

const view: View = {
  at: AT, speed: 1, mode: "live", site: { name: "s", lat_deg: 0, lon_deg: 0 }, summary: "", feeds: [], record: { state: "good" }, shed: {},
  tracks: [{
    id: "T", lat_deg: 0.01, lon_deg: 0.02, course_deg: 0, speed_mps: 20, climb_mps: 0, age_s: 0, existence: 1, sidc: "", beliefs: {},
    ellipse: { semi_major_m: 5, semi_minor_m: 5, azimuth_deg: 0 },
  }],
  units: [{ unit: "b", mobility: "foot", sidc: "", lat_deg: 0, lon_deg: 0, age_s: 1 }, { unit: "c", mobility: "foot", sidc: "" }],
  alerts: [{ raised: AT, worst: "imminent", alert: {
    time: AT, alert: "a", revision: 1, level: "imminent", state: "active-unacked", units: ["b", "c"], track: "T", behaviour: "direct-run",
    text: {}, expires: AT + 60, bearing_deg: 0, range_m: 2500, time_to_impact_s: [15, 25],
  } }],
};

test("a threat is a line, and the seconds stand in its middle however short it is", () => {
  for (const crowded of [true, false]) {
    const [line, label, ...rest] = threatFeatures(view, AT + 5, () => crowded);
    assert.equal(rest.length, 0, "a unit that was never heard has no line");
    assert.deepEqual(line?.geometry, { type: "LineString", coordinates: [[0.02, 0.01], [0, 0]] });
    assert.deepEqual(label?.geometry, { type: "Point", coordinates: [0.01, 0.005] });
    assert.deepEqual(label?.properties, { level: "imminent", rank: 3, label: "10–20 s", aside: crowded });
  }
});

test("the seconds are those of the threat as it stands, not of the last message", () => {
  const [shown] = view.alerts;
  assert.ok(shown);
  const hovering = { ...shown, now: { time: AT + 20, bearing_deg: 0, range_m: 2500, earliest_s: 40 } };
  const [, label] = threatFeatures({ ...view, alerts: [hovering] }, AT + 20, () => false);
  assert.equal(label?.properties?.["label"], "2.5 km");
  const faster = { ...shown, now: { time: AT + 20, bearing_deg: 0, range_m: 900, time_to_impact_s: [30, 40] as [number, number] } };
  const [, counted] = threatFeatures({ ...view, alerts: [faster] }, AT + 21, () => false);
  assert.equal(counted?.properties?.["label"], "29–39 s");
});

test("an alert that has ended draws nothing", () => {
  const ended = view.alerts.map((shown) => ({ ...shown, alert: { ...shown.alert, state: "cleared" as const } }));
  assert.deepEqual(threatFeatures({ ...view, alerts: ended }, AT, () => false), []);
});

test("a direction without a place is a sector from its sensor, and no point", () => {
  assert.deepEqual(wedgeFeatures(view), []);
  const wedge = {
    id: "W1", sensor: "df-1", lat_deg: 0.01, lon_deg: 0.02, azimuth_deg: 359, azimuth_sigma_deg: 1.5, azimuth_rate_dps: 0, existence: 0.9,
    age_s: 0, ranges_m: [100, 400, 2000], weights: [0.2, 0.3, 0.5],
  };
  const [sector] = wedgeFeatures({ ...view, wedges: [wedge] });
  assert.equal(sector?.geometry.type, "Polygon");
  const [ring = []] = (sector?.geometry as { coordinates: Position[][] }).coordinates;
  assert.deepEqual(ring[0], [0.02, 0.01]);
  assert.deepEqual(ring.at(-1), ring[0]);
  const edges = ring.slice(1, -1).map((place) => rangeAndBearing([0.02, 0.01], place));
  assert.ok(edges.every(({ rangeM }) => Math.abs(rangeM - 3000) < 1));
  assert.deepEqual([edges[0], edges.at(-1)].map((edge) => Math.round(edge?.azimuthDeg ?? -1)), [356, 2]);
});
