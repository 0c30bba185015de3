// Where each track was in the last five minutes, as this page saw it. The fade is in steps of 30 s.

import type { Feature, MultiLineString } from "geojson";
import type { Position } from "../geo";
import type { TrackView } from "../model";

export const TRAIL_S = 300;
const STEP_S = 30;
const SAMPLE_S = 1;

interface Point {
  at: number;
  place: Position;
}

export class Trails {
  private readonly points = new Map<string, Point[]>();

  add(at: number, tracks: TrackView[]): void {
    for (const track of tracks) this.extend(at, track);
    for (const [id, points] of this.points) this.forget(at, id, points);
  }

  private extend(at: number, track: TrackView): void {
    const points = this.points.get(track.id) ?? [];
    const last = points[points.length - 1];
    if (last && at - last.at < SAMPLE_S) return;
    points.push({ at, place: [track.lon_deg, track.lat_deg] });
    this.points.set(track.id, points);
  }

  private forget(at: number, id: string, points: Point[]): void {
    // A replay that goes back would leave points of the future behind.
    const kept = points.filter((point) => point.at <= at && at - point.at <= TRAIL_S);
    if (kept.length > 0) this.points.set(id, kept);
    else this.points.delete(id);
  }

  /** One line per track and age step; `age` runs from 0 (now) to 1 (gone). */
  features(at: number): Feature<MultiLineString>[] {
    return [...this.points.values()].flatMap((points) => [...this.steps(at, points)].map(toFeature));
  }

  private steps(at: number, points: Point[]): Map<number, Position[][]> {
    const steps = new Map<number, Position[][]>();
    points.slice(1).forEach((point, i) => {
      const before = points[i] as Point;
      const step = Math.floor((at - point.at) / STEP_S);
      steps.set(step, [...(steps.get(step) ?? []), [before.place, point.place]]);
    });
    return steps;
  }
}

function toFeature([step, lines]: [number, Position[][]]): Feature<MultiLineString> {
  const age = Math.min(1, (step * STEP_S) / TRAIL_S);
  return { type: "Feature", properties: { age }, geometry: { type: "MultiLineString", coordinates: lines } };
}
