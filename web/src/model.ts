// The picture as the station sends it: mirrors src/vedette/station/view.py. Absent means unknown.

export type Level = "imminent" | "warning" | "advisory" | "info";
export type AlarmState = "active-unacked" | "active-acked" | "returned-unacked" | "cleared";
export type Fact = "accepted" | "on-device" | "shown" | "acknowledged";
export type FeedState = "connecting" | "watching" | "degraded" | "deaf" | "down" | "ended";

export interface Alert {
  time: number;
  alert: string;
  revision: number;
  level: Level;
  state: AlarmState;
  units: string[];
  track: string;
  behaviour: string;
  text: Record<string, string>;
  expires: number;
  bearing_deg: number;
  range_m?: number;
  reason?: string;
  time_to_impact_s?: [number, number];
  earliest_s?: number;
  evidence?: [string, number][];
  acknowledged_by?: string;
  /** Absent = actual. */
  status?: "exercise" | "test";
  /** How many drones there are; the figures are those of the one that leads. */
  count?: number;
  incident?: string;
  /** What a person lowered it to, for this page and its sound. */
  desk_level?: Level;
  shelved?: { desk: string; by: string; reason: string; until: number; once?: boolean }[];
  /** Why it needs no sound here; never for imminent. */
  suppressed?: string;
  silenced?: string;
  out_of_service?: string;
}

export interface Receipt {
  time: number;
  alert: string;
  revision: number;
  recipient: string;
  channel: string;
  fact: Fact;
  by?: string;
}

/** The threat as it stands, fresh each second; the alert's own figures are those of its last message. */
export interface Threat {
  time: number;
  bearing_deg: number;
  range_m?: number;
  time_to_impact_s?: [number, number];
  earliest_s?: number;
}

export interface AlertView {
  alert: Alert;
  raised: number;
  worst: Level;
  now?: Threat;
  /** Its drones now, the lead first, each with its level. */
  drones?: [string, Level][];
  /** When the next one is asked, for nobody has answered. */
  next_step?: number;
  receipts?: Receipt[];
  unlogged?: boolean;
}

export interface TrackView {
  id: string;
  lat_deg: number;
  lon_deg: number;
  course_deg: number;
  speed_mps: number;
  climb_mps: number;
  ellipse: { semi_major_m: number; semi_minor_m: number; azimuth_deg: number };
  age_s: number;
  existence: number;
  sidc: string;
  beliefs: Record<string, number>;
  alt_m?: number;
  height_m?: number;
  identity?: { scheme: string; id: string };
  trust?: "verified" | "unverified" | "contradicted" | "ghost";
  /** Why, in short stable words: "position-disagrees:400m". */
  trust_reasons?: string[];
  sensors?: string[];
}

/** A direction in which a sensor hears a body whose distance nobody knows. */
export interface WedgeView {
  id: string;
  sensor: string;
  lat_deg: number;
  lon_deg: number;
  azimuth_deg: number;
  azimuth_sigma_deg: number;
  azimuth_rate_dps: number;
  existence: number;
  age_s: number;
  ranges_m: number[];
  weights: number[];
  elevation_deg?: number;
  elevation_sigma_deg?: number;
}

export interface UnitView {
  unit: string;
  mobility: "foot" | "vehicle" | "post";
  sidc: string;
  callsign?: string;
  lat_deg?: number;
  lon_deg?: number;
  sigma_m?: number;
  age_s?: number;
}

export interface FeedView {
  feed: string;
  state: FeedState;
  since: number;
  detections: number;
  quarantined: Record<string, number>;
  /** It brings detections: only such a feed watches anything. */
  senses?: boolean;
  /** The last detection or report. */
  last_data?: number;
  /** The last sign of life, a detection or not. */
  last_heard?: number;
  heard_per_s?: number;
  /** How far its times are behind the station's; negative = ahead. */
  behind_s?: number;
  /** What is wrong with it though it gives data. */
  troubles?: string[];
  /** What sort of sensors it speaks for: "remote-id", "radar-3d", "camera" ... */
  kinds?: string[];
  reason?: string;
}

/** The station's own clock. */
export interface ClockView {
  state: "synchronised" | "unsynchronised" | "unknown";
  words: string;
  source?: string;
  error_s?: number;
}

export interface RecordView {
  state: "good" | "degraded" | "off";
  waiting?: number;
  unlogged?: number;
  reason?: string;
}

export interface View {
  at: number;
  speed: number;
  mode: "live" | "exercise";
  site: { name: string; lat_deg: number; lon_deg: number };
  summary: string;
  tracks: TrackView[];
  units: UnitView[];
  alerts: AlertView[];
  feeds: FeedView[];
  record: RecordView;
  shed: Record<string, number>;
  clock?: ClockView;
  last_track_seen?: number;
  wedges?: WedgeView[];
  /** What people read: why a pack of the site's own words is not in force. */
  wording?: { troubles?: string[] };
}

export const LEVEL_RANK: Record<Level, number> = { info: 0, advisory: 1, warning: 2, imminent: 3 };

export const isOpen = (shown: AlertView): boolean => shown.alert.state !== "cleared";

export const needsHand = (shown: AlertView): boolean =>
  shown.alert.state === "active-unacked" || shown.alert.state === "returned-unacked";

/** Sounds at the desk: somebody is in danger, nobody has it in hand, and nobody decided that it need not sound. */
export const sounds = (shown: AlertView): boolean =>
  shown.alert.state === "active-unacked" && LEVEL_RANK[deskLevel(shown.alert)] >= LEVEL_RANK.warning && !isQuiet(shown.alert);

/** The level as this desk has it: a person may have lowered it. */
export const deskLevel = (alert: Alert): Level => alert.desk_level ?? alert.level;

/** Put aside at this desk, silenced, or of an incident that is in hand; what is imminent is never any of it. */
const isQuiet = (alert: Alert): boolean =>
  alert.level !== "imminent" &&
  (known(alert.suppressed) || known(alert.silenced) || (alert.shelved ?? []).some((shelf) => shelf.desk === "desk"));

const known = <T>(value: T | undefined): value is T => value !== undefined;
