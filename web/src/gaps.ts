// What is not being watched, and what is watched with a reservation: the desk's first question (law 2).

import { familyName, isFine } from "./feeds";
import type { FeedView, UnitView, View } from "./model";
import { direction, duration, known, sentence, utc } from "./words";

const UNIT_OLD_S = 60;

export interface Gap {
  what: string;
  why: string;
  /** It is watched, but not as it should be. */
  reservation?: true;
}

const GROUND: Gap = {
  what: "Ground the sensors cannot see or hear",
  why: "Hills and buildings hide drones. Where is not worked out.",
};

const UNSEEN: Gap = {
  what: "Drones that no configured sensor can see",
  why: "A receiver hears only what a drone sends: on a cable or on its own, it sends nothing. What looks or listens can miss what is small, low or still.",
};

const WITHOUT_REMOTE_ID: Gap = {
  what: "Drones that send no Remote ID",
  why: "Receivers hear what a drone broadcasts. On a cable or on its own, it sends nothing.",
};

const SENDS_NOTHING: Gap = {
  what: "Drones that send nothing",
  why: "Receivers hear what a drone sends. On a cable or on its own, it sends nothing.",
};

const BROADCASTS = new Set(["remote-id", "adsb"]);
const RECEIVERS = new Set([...BROADCASTS, "direction-finder"]);

/** What this station would not watch however well its feeds do: said always, not only when asked. */
export function neverWatched(view: View): Gap[] {
  const sensing = view.feeds.filter((feed) => feed.senses);
  const kinds = sensing.flatMap((feed) => feed.kinds ?? []);
  const told = sensing.length > 0 && sensing.every((feed) => (feed.kinds ?? []).length > 0);
  if (told && kinds.every((kind) => BROADCASTS.has(kind))) return [WITHOUT_REMOTE_ID, GROUND];
  if (told && kinds.every((kind) => RECEIVERS.has(kind))) return [SENDS_NOTHING, GROUND];
  return [UNSEEN, GROUND];
}

/** What has stopped being watched, in the order in which somebody should care; then what is watched with a reservation. */
export function notWatched(view: View): Gap[] {
  return [
    ...noFeeds(view), ...view.feeds.filter(isGap).filter(isItsOwn(view)).map(feedGap), ...shedGaps(view), ...unitGaps(view.units),
    ...wedgeReservations(view), ...view.feeds.flatMap(feedReservations), ...clockReservation(view), ...wordingReservations(view),
  ];
}

/** " 2 things are not watched and 1 is watched with a reservation: see the right side.", or nothing. */
export function gapCount(view: View): string {
  const gaps = notWatched(view);
  const reserved = gaps.filter((gap) => gap.reservation).length;
  const open = gaps.length - reserved;
  const parts = [
    open > 0 ? `${open} ${open === 1 ? "thing is" : "things are"} not watched` : "",
    reserved > 0 ? `${reserved} ${reserved === 1 ? "reservation stands" : "reservations stand"}` : "",
  ].filter((part) => part);
  return parts.length === 0 ? "" : ` ${sentence(`${parts.join(", ")}: see the right side`)}`;
}

function noFeeds(view: View): Gap[] {
  const sensing = view.feeds.filter((feed) => feed.senses);
  if (sensing.some((feed) => !hearsAircraftOnly(feed))) return [];
  const missing = sensing.length > 0 ? "Manned aircraft are heard, and nothing listens for drones." : view.feeds.length === 0 ? "No feed is configured." : "No feed that senses drones is configured.";
  return [{ what: "Everything", why: `${missing} Add a sensor's feed to the station's configuration.` }];
}

const hearsAircraftOnly = (feed: FeedView): boolean => feed.kinds?.length === 1 && feed.kinds[0] === "adsb";

/** The parts of a recording end with it: they are told of once. */
function isItsOwn({ feeds }: View): (feed: FeedView) => boolean {
  const over = new Set(feeds.filter((feed) => feed.state === "ended" && feed.feed === familyName(feed)).map(familyName));
  return (feed) => feed.state !== "ended" || feed.feed === familyName(feed) || !over.has(familyName(feed));
}

const isGap = (feed: FeedView): boolean => feed.state !== "watching" && feed.state !== "degraded";

function feedGap(feed: FeedView): Gap {
  const state = { connecting: "Connecting", deaf: "Deaf", down: "Down", ended: "Ended", watching: "", degraded: "" }[feed.state];
  const last = known(feed.last_data) ? ` Last data ${utc(feed.last_data)}.` : " No data yet.";
  return { what: feed.feed, why: `${state} ${feed.state === "ended" ? "at" : "since"} ${utc(feed.since)}.${feed.reason ? ` ${sentence(feed.reason)}` : ""}${last}` };
}

function feedReservations(feed: FeedView): Gap[] {
  if (isGap(feed) || isFine(feed)) return [];
  const told = feed.troubles?.length ? feed.troubles : [feed.reason ?? "It does not say why"];
  return [{ what: feed.feed, why: told.map(sentence).join(" "), reservation: true }];
}

/** Something is there, and nobody can say for whom: no alert comes of a direction alone. */
function wedgeReservations({ wedges }: View): Gap[] {
  const sensors = [...new Set((wedges ?? []).map((wedge) => wedge.sensor))];
  return sensors.map((sensor) => {
    const ways = (wedges ?? []).filter((wedge) => wedge.sensor === sensor).map((wedge) => direction(wedge.azimuth_deg));
    return { what: `Heard by ${sensor}, distance not known`, why: `Towards ${ways.join(", ")}. Nobody is warned of it.`, reservation: true };
  });
}

function clockReservation({ clock }: View): Gap[] {
  if (clock?.state === "synchronised") return [];
  const words = clock?.words ?? "not asked yet";
  const why = sentence(clock?.state === "unsynchronised" ? words : `Not known to be right: ${words}`);
  return [{ what: "The station's clock", why: `${why} Ages depend on it.`, reservation: true }];
}

/** People are warned all the same, in other words than the site wanted. */
const wordingReservations = ({ wording }: View): Gap[] =>
  (wording?.troubles ?? []).map((why) => ({ what: "The words that people read", why: sentence(why), reservation: true }));

/** A text that a newer one has replaced is nothing that anybody misses. */
const REPLACED = "older alert revisions";

/** What the core counts and the station's own faults, which no load explains. */
const COUNTED = /^(detections older|objects beyond|advisories held|positions of units|faults of) /;

const shedGaps = (view: View): Gap[] =>
  Object.entries(view.shed)
    .filter(([what, count]) => count > 0 && what !== REPLACED)
    .map(([what, count]) => ({ what, why: COUNTED.test(what) ? `${count} since the start.` : `${count} shed under load and never looked at.` }));

function unitGaps(units: UnitView[]): Gap[] {
  return units.flatMap((unit) => {
    const what = unit.callsign ?? unit.unit;
    if (!known(unit.lat_deg) || !known(unit.lon_deg)) return [{ what, why: "Never heard: its position is unknown, it is not assessed." }];
    if (known(unit.age_s) && unit.age_s > UNIT_OLD_S) return [{ what, why: `Last heard ${duration(unit.age_s)} ago; it may be elsewhere.` }];
    return [];
  });
}
