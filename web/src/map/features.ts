// The picture as GeoJSON: what each layer of the map draws.

import type { Feature, Geometry } from "geojson";
import { circle, destination, ellipse, rangeAndBearing, type Position } from "../geo";
import { isOpen, LEVEL_RANK, type AlertView, type TrackView, type UnitView, type View } from "../model";
import { asOfNow, countdown, distance, duration, known, motionWords, seconds, STALE_S } from "../words";

export const PREDICTION_S = 30;
const UNIT_STALE_S = 60;
const RINGS_M = [500, 1000, 2000, 5000, 10_000, 20_000];

/** What a track or unit needs from the map: an image for its symbol. */
export type ImageOf = (sidc: string, stale: boolean) => string;

const feature = (geometry: Geometry, properties: Record<string, unknown>): Feature => ({ type: "Feature", geometry, properties });

export const placeOf = (thing: TrackView): Position => [thing.lon_deg, thing.lat_deg];

export function unitPlace(unit: UnitView): Position | null {
  return known(unit.lat_deg) && known(unit.lon_deg) ? [unit.lon_deg, unit.lat_deg] : null;
}

export const unitPlaces = (units: UnitView[]): Position[] => units.map(unitPlace).filter((place) => place !== null);

export const isStale = (track: TrackView): boolean => track.age_s > STALE_S;

export function trackLabel(track: TrackView): string {
  const [speed, height] = motionWords(track);
  const second = isStale(track) ? `last seen ${duration(track.age_s)} ago` : `${height}  ${speed}`;
  return `${track.id}\n${second}`;
}

/** Lower sorts first and is drawn first: what threatens somebody is drawn last, on top. */
export function urgency(view: View): Map<string, number> {
  const ranks = new Map<string, number>();
  for (const { alert } of view.alerts.filter(isOpen))
    ranks.set(alert.track, Math.max(ranks.get(alert.track) ?? 0, 1 + LEVEL_RANK[alert.level]));
  return ranks;
}

export function trackFeatures(view: View, image: ImageOf): Feature[] {
  const ranks = urgency(view);
  return view.tracks.map((track) =>
    feature({ type: "Point", coordinates: placeOf(track) }, {
      id: track.id, label: trackLabel(track), image: image(track.sidc, isStale(track)),
      stale: isStale(track), rank: ranks.get(track.id) ?? 0,
    }));
}

export function unitFeatures(view: View, image: ImageOf): Feature[] {
  return view.units.flatMap((unit) => {
    const place = unitPlace(unit);
    if (!place) return [];
    const stale = !known(unit.age_s) || unit.age_s > UNIT_STALE_S;
    const age = known(unit.age_s) ? `${duration(unit.age_s)} ago` : "age unknown";
    const label = `${unit.callsign ?? unit.unit}\n${age}`;
    return [feature({ type: "Point", coordinates: place }, { id: unit.unit, label, image: image(unit.sidc, stale), stale })];
  });
}

export function ellipseFeatures(view: View): Feature[] {
  return view.tracks.map((track) => {
    const { semi_major_m, semi_minor_m, azimuth_deg } = track.ellipse;
    const ring = ellipse(placeOf(track), semi_major_m, semi_minor_m, azimuth_deg);
    return feature({ type: "Polygon", coordinates: [ring] }, { stale: isStale(track) });
  });
}

/** Straight on for 30 s, from where the track is: a direction to look, not a promise. */
export function predictionFeatures(view: View): Feature[] {
  return view.tracks.filter((track) => track.speed_mps >= 1 && !isStale(track)).map((track) => {
    const end = destination(placeOf(track), track.course_deg, track.speed_mps * PREDICTION_S);
    return feature({ type: "LineString", coordinates: [placeOf(track), end] }, {});
  });
}

const LEAST_SIGMA_DEG = 0.5;
const HALF_STEP = 1.5;

/** A direction without a place: the sector of two sigmas from its sensor to the farthest distance, and never a point. */
export function wedgeFeatures(view: View): Feature[] {
  return (view.wedges ?? []).map((wedge) => {
    const from: Position = [wedge.lon_deg, wedge.lat_deg];
    const half = 2 * Math.max(wedge.azimuth_sigma_deg, LEAST_SIGMA_DEG);
    const reach = HALF_STEP * Math.max(...wedge.ranges_m, 0);
    const arc = [-1, -0.5, 0, 0.5, 1].map((side) => destination(from, wedge.azimuth_deg + side * half, reach));
    return feature({ type: "Polygon", coordinates: [[from, ...arc, from]] }, { id: wedge.id });
  });
}

/** True if two places are so near each other on the screen that a label between them would cover both. */
export type Crowded = (a: Position, b: Position) => boolean;

export function threatFeatures(view: View, at: number, crowded: Crowded): Feature[] {
  return view.alerts.filter(isOpen).flatMap((shown) => threatLines(view, shown, at, crowded));
}

function threatLines(view: View, shown: AlertView, at: number, crowded: Crowded): Feature[] {
  const alert = asOfNow(shown);
  const track = view.tracks.find((candidate) => candidate.id === alert.track);
  const time = countdown(alert, at);
  if (!track) return [];
  return alert.units.flatMap((id) => {
    const unit = view.units.find((candidate) => candidate.unit === id);
    const place = unit ? unitPlace(unit) : null;
    if (!place) return [];
    const label = time ? seconds(time) : distance(rangeAndBearing(place, placeOf(track)).rangeM);
    const properties = { level: alert.level, rank: LEVEL_RANK[alert.level] };
    const line: Geometry = { type: "LineString", coordinates: [placeOf(track), place] };
    // A label that follows the line would be dropped where the line is shorter: when the drone is nearest.
    const middle: Geometry = { type: "Point", coordinates: between(placeOf(track), place) };
    return [feature(line, properties), feature(middle, { ...properties, label, aside: crowded(placeOf(track), place) })];
  });
}

const between = (a: Position, b: Position): Position => [(a[0] + b[0]) / 2, (a[1] + b[1]) / 2];

/** Range rings and the four bearings round the site: the scale of everything where no map is loaded. */
export function siteFeatures(site: View["site"]): Feature[] {
  const centre: Position = [site.lon_deg, site.lat_deg];
  const rings = RINGS_M.map((range) => feature({ type: "LineString", coordinates: circle(centre, range) }, { part: "ring" }));
  const names = RINGS_M.map((range) => feature({ type: "Point", coordinates: destination(centre, 0, range) }, { part: "name", label: range < 1000 ? `${range} m` : `${range / 1000} km` }));
  const outer = RINGS_M[RINGS_M.length - 1] ?? 0;
  const spokes = [0, 90, 180, 270].map((azimuth) =>
    feature({ type: "LineString", coordinates: [centre, destination(centre, azimuth, outer)] }, { part: "spoke" }));
  return [...rings, ...spokes, ...names, feature({ type: "Point", coordinates: centre }, { part: "site", label: site.name })];
}
