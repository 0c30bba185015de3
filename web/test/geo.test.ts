import assert from "node:assert/strict";
import { test } from "node:test";
import { destination, ellipse, type Position, rangeAndBearing } from "../src/geo";
import { Trails, TRAIL_S } from "../src/map/trails";
import type { TrackView } from "../src/model";

const SITE: Position = [-106.46, 31.7];

const near = (a: number, b: number, within: number) => assert.ok(Math.abs(a - b) <= within, `${a} is not ${b} ± ${within}`);

test("range and bearing undo a destination, in every direction and at high latitude", () => {
  for (const from of [SITE, [179.99, 60] as Position, [0, -75] as Position])
    for (let azimuth = 0; azimuth < 360; azimuth += 15) {
      const back = rangeAndBearing(from, destination(from, azimuth, 5000));
      near(back.rangeM, 5000, 0.01);
      near((back.azimuthDeg - azimuth + 540) % 360, 180, 1e-6);
    }
});

test("one minute of latitude is a nautical mile", () => {
  near(rangeAndBearing([0, 45], [0, 45 + 1 / 60]).rangeM, 1852, 3);
});

test("an ellipse's major axis points where it says", () => {
  const ring = ellipse(SITE, 100, 20, 90);
  const ranges = ring.map((place) => rangeAndBearing(SITE, place));
  near(Math.max(...ranges.map((r) => r.rangeM)), 100, 0.1);
  near(Math.min(...ranges.map((r) => r.rangeM)), 20, 0.1);
  near(ranges[0]?.azimuthDeg ?? 0, 90, 0.01);
  assert.deepEqual(ring[0]?.map((x) => x.toFixed(9)), ring[ring.length - 1]?.map((x) => x.toFixed(9)));
});

const track = (lat: number): TrackView => ({
  id: "T", lat_deg: lat, lon_deg: 0, course_deg: 0, speed_mps: 0, climb_mps: 0, existence: 1, sidc: "", beliefs: {}, age_s: 0,
  ellipse: { semi_major_m: 1, semi_minor_m: 1, azimuth_deg: 0 },
});

test("a trail keeps five minutes and fades with age", () => {
  const trails = new Trails();
  for (let at = 0; at <= 400; at += 0.2) trails.add(at, [track(at / 1000)]);
  const features = trails.features(400);
  const lines = features.flatMap((feature) => feature.geometry.coordinates);
  assert.ok(lines.length > 200 && lines.length <= TRAIL_S + 1, `${lines.length} pieces`);
  assert.ok(lines.every((line) => (line[1]?.[1] ?? 0) * 1000 >= 400 - TRAIL_S));
  const ages = features.map((feature) => feature.properties?.["age"] as number);
  assert.ok(ages.includes(0) && Math.max(...ages) > 0.8 && Math.max(...ages) <= 1);
});

test("a trail of a track that is gone goes too, and time that goes back leaves no future", () => {
  const trails = new Trails();
  for (let at = 0; at <= 10; at += 1) trails.add(at, [track(at)]);
  trails.add(5, []);
  assert.equal(trails.features(5).flatMap((feature) => feature.geometry.coordinates).length, 5);
  trails.add(5 + TRAIL_S + 11, []);
  assert.deepEqual(trails.features(5 + TRAIL_S + 11), []);
});
