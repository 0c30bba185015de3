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
}

export const LEVEL_RANK: Record<Level, number> = { info: 0, advisory: 1, warning: 2, imminent: 3 };

export const isOpen = (shown: AlertView): boolean => shown.alert.state !== "cleared";

export const needsHand = (shown: AlertView): boolean =>
  shown.alert.state === "active-unacked" || shown.alert.state === "returned-unacked";

/** Sounds at the desk: somebody is in danger and nobody has it in hand. */
export const sounds = (shown: AlertView): boolean =>
  shown.alert.state === "active-unacked" && LEVEL_RANK[shown.alert.level] >= LEVEL_RANK.warning;
