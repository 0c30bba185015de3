import assert from "node:assert/strict";
import { test } from "node:test";
import { clockWords, families, feedDetails, heardWords, isFine, lineWords, partName, rateWords, rejectWords, stateWords } from "../src/feeds";
import type { FeedState, FeedView } from "../src/model";

const AT = 1_790_000_000;

const feed = (changes: Partial<FeedView> = {}): FeedView =>
  ({ feed: "rid", state: "watching", since: AT - 600, detections: 0, quarantined: {}, senses: true, ...changes });

test("quiet is said only of what is heard: nothing heard yet, quiet, and watching are three things", () => {
  assert.equal(lineWords(feed(), AT), "nothing heard yet");
  assert.equal(lineWords(feed({ last_heard: AT - 1, heard_per_s: 3.24 }), AT), "quiet, 3.2/s");
  assert.equal(lineWords(feed({ last_heard: AT - 1, heard_per_s: 12.4, last_data: AT - 2 }), AT), "watching, 12/s");
  assert.equal(lineWords(feed({ last_heard: AT - 1, heard_per_s: 12.4, last_data: AT - 31 }), AT), "quiet, 12/s");
  assert.equal(lineWords(feed({ last_heard: AT - 45 }), AT), "quiet, heard 45 s ago");
});

test("what senses nothing is connected, and never watches or is quiet", () => {
  const server = feed({ senses: false, last_heard: AT - 9, last_data: AT - 9, detections: 1 });
  assert.equal(lineWords(server, AT), "connected");
  assert.match(stateWords(server, AT), /^Connected since \d\d:\d\d:\d\d\.$/);
  assert.equal(heardWords(server, AT), "Last heard 9 s ago. 1 report, last 9 s ago.");
});

test("a feed that gives no data says its state alone, whatever it heard before", () => {
  for (const state of ["connecting", "deaf", "down", "ended"] as FeedState[]) {
    assert.equal(lineWords(feed({ state, last_heard: AT, heard_per_s: 9, last_data: AT }), AT), state);
    assert.equal(isFine(feed({ state })), false);
  }
});

test("a state has its time and its reason; troubles are told apart and not twice", () => {
  assert.match(stateWords(feed({ state: "down", reason: "refused the password" }), AT), /^Down since \d\d:\d\d:\d\d\. Refused the password\.$/);
  const degraded = feed({ state: "degraded", reason: "its heartbeat is late", troubles: ["its heartbeat is late"] });
  const { bad, plain } = feedDetails(degraded, AT);
  assert.deepEqual(bad, ["Its heartbeat is late."]);
  assert.equal(plain.some((words) => words.includes("heartbeat")), false);
  assert.equal(isFine(degraded), false);
});

test("what was heard and what was detected are two figures", () => {
  const quiet = feed({ last_heard: AT - 2, heard_per_s: 0.4, last_data: AT - 300, detections: 1234 });
  assert.equal(heardWords(quiet, AT), "Heard 0.4/s, last 2 s ago. 1,234 detections, last 5 min ago.");
  assert.equal(heardWords(feed(), AT), "No detection yet.");
});

test("a rate of zero is no rate", () => {
  assert.deepEqual([0, 0.1, 9.94, 10, 212.6].map((rate) => rateWords(feed({ heard_per_s: rate }))), ["", "0.1/s", "9.9/s", "10/s", "213/s"]);
  assert.equal(rateWords(feed()), "");
});

test("a clock is told of beyond half a second, and once", () => {
  const off = (behind_s: number, ...troubles: string[]) => clockWords(feed({ behind_s, troubles }));
  assert.deepEqual([0, 0.5, -0.5].map((seconds) => off(seconds)), [null, null, null]);
  assert.equal(clockWords(feed()), null);
  assert.equal(off(3.21), "Its times are 3.2 s behind: its clock, or a slow way to here.");
  assert.equal(off(-0.62), "Its clock is 0.6 s ahead.");
  assert.equal(off(7200), "Its clock is 2 h behind.");
  assert.equal(off(3.2, "its times are 3.2 s behind: its clock, or a slow way to here"), null);
  assert.equal(lineWords(feed({ behind_s: 0.9, last_heard: AT, heard_per_s: 200 }), AT), "quiet, 0.9 s behind");
});

test("rejects come by reason, the most frequent first, and the rest is counted", () => {
  const quarantined = { few: 2, most: 1500, none: 0, third: 30, second: 31, least: 1 };
  assert.deepEqual(rejectWords(feed({ quarantined })), ["1,500 rejected: most", "31 rejected: second", "30 rejected: third", "and 2 other reasons: 3"]);
  assert.deepEqual(rejectWords(feed()), []);
});

test("parts stand under their feed, in the station's order, whether or not it is listed itself", () => {
  const views = ["a", "b/2", "a/1", "b/1/x", "c"].map((name) => feed({ feed: name }));
  const found = families(views);
  assert.deepEqual(found.map(({ name, feed: head, parts }) => [name, head?.feed, parts.map((part) => part.feed)]), [
    ["a", "a", ["a/1"]], ["b", undefined, ["b/2", "b/1/x"]], ["c", "c", []],
  ]);
  assert.deepEqual(found[1]?.parts.map(partName), ["2", "1/x"]);
});
