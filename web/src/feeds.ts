// What a feed is doing, in words. "Quiet" is said only of a feed that is heard: silence is never safety.

import type { FeedState, FeedView } from "./model";
import { duration, known, sentence, utc } from "./words";

const RECENT_S = 30;
const CLOCK_TOLD_S = 0.5;
const SLOWEST_WAY_S = 120;
const REASONS_SHOWN = 3;
const TELLS_OF_CLOCK = /^its (clock|times|messages go on)\b/;

/** Nothing about it asks for somebody's hand: it takes one line. */
export const isFine = (feed: FeedView): boolean => feed.state === "watching" && (feed.troubles ?? []).length === 0;

/** "12/s", "0.4/s"; an empty string where nothing came within the last seconds. */
export function rateWords(feed: FeedView): string {
  const rate = feed.heard_per_s ?? 0;
  if (rate <= 0) return "";
  return `${rate >= 10 ? Math.round(rate) : rate.toFixed(1)}/s`;
}

type Watch = "tracks" | "quiet" | "unheard" | "linked";

/** What "watching" amounts to: it hears drones; it hears, but no drone; nothing has been heard; it senses nothing. */
function watch(feed: FeedView, at: number): Watch {
  if (!feed.senses) return "linked";
  if (known(feed.last_data) && at - feed.last_data <= RECENT_S) return "tracks";
  return known(feed.last_heard) ? "quiet" : "unheard";
}

const WATCH_WORD: Record<Watch, string> = { tracks: "watching", quiet: "quiet", unheard: "nothing heard yet", linked: "connected" };

const WATCH_SENTENCE: Record<Watch, string> = {
  tracks: "Watching", quiet: "Quiet: it hears, but no drone", unheard: "Connected, but nothing heard yet", linked: "Connected",
};

const STATE_SENTENCE: Record<Exclude<FeedState, "watching">, string> = {
  connecting: "Connecting", degraded: "Degraded", deaf: "Deaf", down: "Down", ended: "Ended",
};

/** The end of a feed's one line: "quiet, 12/s", "watching, 0.9 s behind". */
export function lineWords(feed: FeedView, at: number): string {
  if (feed.state !== "watching" && feed.state !== "degraded") return feed.state;
  const words = feed.state === "degraded" ? "degraded" : WATCH_WORD[watch(feed, at)];
  const last = feed.senses ? lastWords("heard", feed.last_heard, at) : "";
  const figure = offWords(feed) ?? (rateWords(feed) || last);
  return figure ? `${words}, ${figure}` : words;
}

/** "Quiet: it hears, but no drone. Since 14:02:11." */
export function stateWords(feed: FeedView, at: number): string {
  const state = feed.state === "watching" ? WATCH_SENTENCE[watch(feed, at)] : STATE_SENTENCE[feed.state];
  const reason = feed.reason && feed.state !== "degraded" ? ` ${sentence(feed.reason)}` : "";
  const when = state.includes(" ") ? ". Since" : feed.state === "ended" ? " at" : " since";
  return `${state}${when} ${utc(feed.since)}.${reason}`;
}

/** "Heard 12/s, last 0 s ago. 7 detections, last 3 min ago." */
export function heardWords(feed: FeedView, at: number): string {
  const thing = feed.senses ? "detection" : "report";
  const heard = [rateWords(feed) && `heard ${rateWords(feed)}`, lastWords(rateWords(feed) ? "last" : "last heard", feed.last_heard, at)];
  const data = [feed.detections === 0 ? `no ${thing} yet` : count(feed.detections, thing), lastWords("last", feed.last_data, at)];
  return [heard, data].map((words) => words.filter(Boolean).join(", ")).filter(Boolean).map(sentence).join(" ");
}

const lastWords = (word: string, time: number | undefined, at: number): string => (known(time) ? `${word} ${duration(at - time)} ago` : "");

/** "0.9 s behind", where no trouble tells of it. One-way times cannot tell a slow clock from a slow way. */
function offWords(feed: FeedView): string | null {
  if (!known(feed.behind_s) || Math.abs(feed.behind_s) <= CLOCK_TOLD_S) return null;
  if ((feed.troubles ?? []).some((trouble) => TELLS_OF_CLOCK.test(trouble))) return null;
  return feed.behind_s > 0 ? `${span(feed.behind_s)} behind` : `${span(-feed.behind_s)} ahead`;
}

/** "Its times are 0.9 s behind: its clock, or a slow way to here."; no delay explains a time that is ahead. */
export function clockWords(feed: FeedView): string | null {
  const off = offWords(feed);
  if (off === null) return null;
  return off.endsWith("ahead") || (feed.behind_s ?? 0) > SLOWEST_WAY_S ? `Its clock is ${off}.` : `Its times are ${off}: its clock, or a slow way to here.`;
}

const span = (seconds: number): string => (seconds < 120 ? `${seconds.toFixed(1)} s` : duration(seconds));

/** What was refused, the most frequent reason first: "204 rejected: crc-bad". The rest is one row: "and 2 other reasons: 4". */
export function rejectWords(feed: FeedView): string[] {
  const found = Object.entries(feed.quarantined).filter(([, n]) => n > 0);
  found.sort(([a, m], [b, n]) => n - m || (a < b ? -1 : 1));
  const rest = found.slice(REASONS_SHOWN);
  const others = rest.reduce((sum, [, n]) => sum + n, 0);
  const rows = found.slice(0, REASONS_SHOWN).map(([reason, n]) => `${number(n)} rejected: ${reason}`);
  return rest.length === 0 ? rows : [...rows, `and ${count(rest.length, "other reason")}: ${number(others)}`];
}

const number = (n: number): string => n.toLocaleString("en-GB");

const count = (n: number, thing: string): string => `${number(n)} ${thing}${n === 1 ? "" : "s"}`;

/** Everything of a feed that does not fit its line, in the order in which somebody asks. */
export function feedDetails(feed: FeedView, at: number): { bad: string[]; plain: string[] } {
  const clock = clockWords(feed);
  const plain = [stateWords(feed, at), heardWords(feed, at), ...(clock === null ? [] : [clock]), ...rejectWords(feed)];
  return { bad: (feed.troubles ?? []).map(sentence), plain };
}

export interface Family {
  name: string;
  /** The feed itself; absent if only its parts are known. */
  feed?: FeedView;
  parts: FeedView[];
}

/** Feeds with their parts (`NAME/PART`), in the order in which the station names them. */
export function families(feeds: readonly FeedView[]): Family[] {
  const found = new Map<string, Family>();
  for (const feed of feeds) {
    const name = familyName(feed);
    const family = found.get(name) ?? { name, parts: [] };
    found.set(name, family);
    if (feed.feed === name) family.feed = feed;
    else family.parts.push(feed);
  }
  return [...found.values()];
}

export const familyName = (feed: FeedView): string => feed.feed.split("/", 1)[0] ?? feed.feed;

export const partName = (feed: FeedView): string => feed.feed.slice(familyName(feed).length + 1);
