import assert from "node:assert/strict";
import { test } from "node:test";
import { gapCount, neverWatched, notWatched } from "../src/gaps";
import type { FeedState, FeedView, View } from "../src/model";

const AT = 1_790_000_000;

const feed = (changes: Partial<FeedView> = {}): FeedView =>
  ({ feed: "rid", state: "watching", since: AT, detections: 0, quarantined: {}, senses: true, ...changes });

const view = (changes: Partial<View> = {}): View => ({
  at: AT, speed: 1, mode: "live", site: { name: "s", lat_deg: 0, lon_deg: 0 }, summary: "", tracks: [], alerts: [],
  units: [{ unit: "b", mobility: "foot", sidc: "", callsign: "Patrol B", lat_deg: 0, lon_deg: 0, age_s: 2 }],
  feeds: [feed()], record: { state: "good" }, shed: {}, clock: { state: "synchronised", words: "chrony follows a GPS receiver" }, ...changes,
});

test("everything that is not watched is named, and nothing else", () => {
  assert.deepEqual(notWatched(view()), [], "a unit on latitude 0 has a position");
  const bad = view({
    shed: { plots: 3, none: 0 },
    feeds: [feed(), feed({ feed: "df", state: "down", reason: "refused the password" })],
    units: [...view().units, { unit: "c", mobility: "foot", sidc: "" }, { unit: "d", mobility: "foot", sidc: "", lat_deg: 0, lon_deg: 0, age_s: 300 }],
  });
  assert.deepEqual(notWatched(bad).map((gap) => gap.what), ["df", "plots", "c", "d"]);
  assert.match(notWatched(bad)[0]?.why ?? "", /^Down since \d\d:\d\d:\d\d\. Refused the password\. No data yet\.$/);
});

test("a direction without a place is a reservation at its sensor, never silence", () => {
  const wedge = {
    id: "W1", sensor: "df-1", lat_deg: 0, lon_deg: 0, azimuth_deg: 45.2, azimuth_sigma_deg: 1, azimuth_rate_dps: 0, existence: 0.9,
    age_s: 0, ranges_m: [100, 1000], weights: [0.5, 0.5],
  };
  const heard = view({ wedges: [wedge, { ...wedge, id: "W2", azimuth_deg: 180 }, { ...wedge, id: "W3", sensor: "df-2", azimuth_deg: 359.8 }] });
  assert.deepEqual(notWatched(heard).map((gap) => [gap.what, gap.why, gap.reservation]), [
    ["Heard by df-1, distance not known", "Towards NE 045°, S 180°. Nobody is warned of it.", true],
    ["Heard by df-2, distance not known", "Towards N 000°. Nobody is warned of it.", true],
  ]);
  assert.match(gapCount(heard), /2 reservations stand/);
});

test("a pack of words that does not load is told, and nothing is unwatched for it", () => {
  const why = "en.toml, line 7: message.away: 'safe' may be in no text -> say what was seen; version 100 stays in force";
  const spoilt = view({ wording: { troubles: [why] } });
  assert.deepEqual(notWatched(spoilt).map((gap) => [gap.what, gap.why, gap.reservation]), [
    ["The words that people read", `E${why.slice(1)}.`, true],
  ]);
  assert.deepEqual(notWatched(view({ wording: {} })), []);
});

test("no feed, or none that senses, is everything not watched", () => {
  for (const feeds of [[], [feed({ senses: false })]]) {
    assert.deepEqual(notWatched(view({ feeds })).map((gap) => gap.what), ["Everything"]);
  }
});

test("feeds of manned aircraft alone watch no drones", () => {
  const air = feed({ feed: "air", kinds: ["adsb"] });
  assert.deepEqual(notWatched(view({ feeds: [air] })).map((gap) => gap.what), ["Everything"]);
  assert.deepEqual(notWatched(view({ feeds: [air, feed()] })), []);
});

test("a recording that has ended is told of once, a part that left by itself too", () => {
  const recording = [feed({ feed: "rec", state: "ended" }), feed({ feed: "rec/1", state: "ended" }), feed({ feed: "rec/2", state: "ended" })];
  const node = [feed({ feed: "radars" }), feed({ feed: "radars/north", state: "ended" })];
  assert.deepEqual(notWatched(view({ feeds: [...recording, ...node] })).map((gap) => gap.what), ["rec", "radars/north"]);
  assert.match(notWatched(view({ feeds: recording }))[0]?.why ?? "", /^Ended at \d\d:/);
});

test("what was shed is told apart from what was counted, and a replaced text from both", () => {
  const shed = { "detections of rid": 4, "detections older than 8 s": 2, "older alert revisions": 7 };
  assert.deepEqual(notWatched(view({ shed })).map((gap) => gap.why), ["4 shed under load and never looked at.", "2 since the start."]);
});

test("deaf, down, connecting and ended feeds are gaps; a degraded one is a reservation with its troubles", () => {
  for (const state of ["deaf", "down", "connecting", "ended"] as FeedState[]) {
    const [gap, ...rest] = notWatched(view({ feeds: [feed({ state })] }));
    assert.equal(rest.length, 0);
    assert.equal(gap?.reservation, undefined);
  }
  const degraded = feed({ state: "degraded", reason: "x", troubles: ["its heartbeat is late", "flooded"] });
  assert.deepEqual(notWatched(view({ feeds: [degraded] })), [{ what: "rid", why: "Its heartbeat is late. Flooded.", reservation: true }]);
});

test("a degraded feed without troubles still says something", () => {
  const why = (reason?: string) => notWatched(view({ feeds: [feed({ state: "degraded", ...(reason ? { reason } : {}) })] }))[0]?.why;
  assert.deepEqual([why("slow"), why()], ["Slow.", "It does not say why."]);
});

test("gaps come before reservations", () => {
  const feeds = [feed({ feed: "a", state: "degraded", troubles: ["slow"] }), feed({ feed: "b", state: "deaf" })];
  assert.deepEqual(notWatched(view({ feeds })).map((gap) => gap.what), ["b", "a"]);
});

test("a station whose own clock is not known to be right says so", () => {
  const { clock: _, ...unasked } = view();
  for (const [shown, words] of [
    [view({ clock: { state: "unsynchronised", words: "not synchronised: nothing sets it" } }), /^Not synchronised: nothing sets it\. Ages/],
    [view({ clock: { state: "unknown", words: "chrony is not here" } }), /^Not known to be right: chrony is not here\. Ages/],
    [unasked, /^Not known to be right: not asked yet\. Ages/],
  ] as [View, RegExp][]) {
    const [gap, ...rest] = notWatched(shown);
    assert.equal(rest.length, 0);
    assert.deepEqual([gap?.what, gap?.reservation], ["The station's clock", true]);
    assert.match(gap?.why ?? "", words);
  }
});

test("the count tells gaps from reservations", () => {
  assert.equal(gapCount(view()), "");
  assert.equal(gapCount(view({ feeds: [feed({ state: "deaf" })] })), " 1 thing is not watched: see the right side.");
  assert.equal(gapCount(view({ clock: { state: "unknown", words: "x" } })), " 1 reservation stands: see the right side.");
  const both = view({ feeds: [feed({ state: "deaf" }), feed({ state: "down" })], clock: { state: "unknown", words: "x" } });
  assert.equal(gapCount(both), " 2 things are not watched, 1 reservation stands: see the right side.");
});

test("what is never watched depends on what kinds of sensors are there, and is true of all while that is not known", () => {
  const first = (...kinds: (string[] | undefined)[]) =>
    neverWatched(view({ feeds: kinds.map((list) => feed(list ? { kinds: list } : {})) }))[0]?.what;
  const unseen = "Drones that no configured sensor can see";
  assert.deepEqual([first(), first(undefined), first([]), first(["remote-id"], undefined)], [unseen, unseen, unseen, unseen]);
  assert.deepEqual([first(["radar-3d"]), first(["remote-id"], ["camera"]), first(["acoustic-array"])], [unseen, unseen, unseen]);
  assert.equal(first(["remote-id"], ["remote-id", "adsb"]), "Drones that send no Remote ID");
  assert.equal(first(["remote-id"], ["direction-finder"]), "Drones that send nothing");
});

test("a feed that senses nothing does not count for what is never watched, and the ground is always named", () => {
  const feeds = [feed({ kinds: ["remote-id"] }), feed({ senses: false })];
  assert.deepEqual(neverWatched(view({ feeds })).map((gap) => gap.what), ["Drones that send no Remote ID", "Ground the sensors cannot see or hear"]);
});
