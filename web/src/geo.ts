// Small distances on a sphere: good to 0.5 % within 100 km, which is far below a pixel or a track's own error.

export type Position = [lon: number, lat: number];

const EARTH_M = 6_371_009;
const RAD = Math.PI / 180;

/** The place `rangeM` away from `from` in direction `azimuthDeg` (clockwise from true north). */
export function destination(from: Position, azimuthDeg: number, rangeM: number): Position {
  const [lon, lat] = [from[0] * RAD, from[1] * RAD];
  const [angle, azimuth] = [rangeM / EARTH_M, azimuthDeg * RAD];
  const sinLat = Math.sin(lat) * Math.cos(angle) + Math.cos(lat) * Math.sin(angle) * Math.cos(azimuth);
  const east = Math.sin(azimuth) * Math.sin(angle) * Math.cos(lat);
  const lon2 = lon + Math.atan2(east, Math.cos(angle) - Math.sin(lat) * sinLat);
  return [lon2 / RAD, Math.asin(sinLat) / RAD];
}

/** Ground distance in metres and azimuth in degrees (0 to 360) from `from` to `to`. */
export function rangeAndBearing(from: Position, to: Position): { rangeM: number; azimuthDeg: number } {
  const [lat1, lat2] = [from[1] * RAD, to[1] * RAD];
  const dLon = (to[0] - from[0]) * RAD;
  const h = Math.sin((lat2 - lat1) / 2) ** 2 + Math.cos(lat1) * Math.cos(lat2) * Math.sin(dLon / 2) ** 2;
  const y = Math.sin(dLon) * Math.cos(lat2);
  const x = Math.cos(lat1) * Math.sin(lat2) - Math.sin(lat1) * Math.cos(lat2) * Math.cos(dLon);
  return { rangeM: 2 * EARTH_M * Math.asin(Math.sqrt(h)), azimuthDeg: (Math.atan2(y, x) / RAD + 360) % 360 };
}

/** A closed ring of `steps` points round an ellipse whose major axis points to `azimuthDeg`. */
export function ellipse(centre: Position, majorM: number, minorM: number, azimuthDeg: number, steps = 48): Position[] {
  return Array.from({ length: steps + 1 }, (_, i) => {
    const angle = (2 * Math.PI * i) / steps;
    const [along, across] = [majorM * Math.cos(angle), minorM * Math.sin(angle)];
    const azimuth = azimuthDeg + Math.atan2(across, along) / RAD;
    return destination(centre, azimuth, Math.hypot(along, across));
  });
}

export const circle = (centre: Position, radiusM: number): Position[] => ellipse(centre, radiusM, radiusM, 0, 128);
