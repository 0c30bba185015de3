// The map of one site: keeps the sources of its style up to date, and moves only when asked to.

import { type GeoJSONSource, LngLatBounds, Map as MapLibre, type MapMouseEvent, ScaleControl, setWorkerUrl } from "maplibre-gl";
import type { Feature } from "geojson";
import { type Position, rangeAndBearing } from "../geo";
import type { View } from "../model";
import type { Theme } from "../theme";
import { direction, distance } from "../words";
import * as features from "./features";
import { type SourceName, style } from "./style";
import { ensureSymbol, supplySymbol } from "./symbols";
import { Trails } from "./trails";

declare const WORKER_URL: string;
declare const WORLD_URL: string;

/** A label stands to the right of its symbol. */
const FIT = { padding: { top: 72, bottom: 72, left: 72, right: 136 }, maxZoom: 15.5 };
const SMALLEST_PICTURE_M = 1500;
const CROWDED_PX = 110;
/** Somebody who broadcasts a place on the far side of the Earth does not get to zoom the map out. */
const FARTHEST_M = 50_000;

setWorkerUrl(WORKER_URL);

/** What the map tells whoever shows it. */
export interface Told {
  pointed(words: string): void;
  moved(): void;
}

export class Picture {
  readonly map: MapLibre;
  /** True once the map has been drawn in full for the first time. */
  drawn = false;
  private readonly trails = new Trails();
  private theme: Theme;
  private view: View | null = null;
  private site = "";
  private threats = "";
  private trailsAt = -Infinity;
  private styled = false;

  constructor(container: HTMLElement, theme: Theme, private readonly told: Told) {
    this.theme = theme;
    this.map = new MapLibre({
      container, style: style(theme, WORLD_URL), center: [0, 20], zoom: 1,
      attributionControl: false, dragRotate: false, pitchWithRotate: false, fadeDuration: 0, maxZoom: 18,
    });
    this.map.touchZoomRotate.disableRotation();
    this.map.addControl(new ScaleControl({ maxWidth: 120, unit: "metric" }), "bottom-left");
    this.map.setMissingStyleImageResolver((name) => supplySymbol(this.map, name));
    this.map.once("load", () => (this.drawn = true));
    this.map.on("style.load", () => this.restyled());
    this.map.on("mousemove", (event) => this.point(event));
    this.map.on("mouseout", () => this.told.pointed(""));
    this.map.on("moveend", () => this.told.moved());
  }

  show(view: View, at: number, theme: Theme): void {
    if (theme !== this.theme) this.restyle(theme);
    if (view !== this.view) this.trails.add(view.at, view.tracks);
    const fresh = view !== this.view;
    this.view = view;
    if (this.styled && fresh) this.draw(view, at);
    else if (this.styled) this.drawThreats(view, at);
    this.frameSite(view);
  }

  /** Bring an alert's track and people into sight, unless they are, or a hand is on the map. */
  reveal(places: Position[]): void {
    const shown = this.map.getBounds();
    if (this.map.isMoving() || places.length === 0 || places.every((place) => shown.contains(place))) return;
    this.map.fitBounds(around(places), { ...FIT, duration: 300 });
  }

  /** How many tracks and units are not in sight. */
  outside(): number {
    const shown = this.map.getBounds();
    return this.places().filter((place) => !shown.contains(place)).length;
  }

  /** Frame everything within `FARTHEST_M` of the site. */
  showAll(): void {
    if (!this.view) return;
    const centre: Position = [this.view.site.lon_deg, this.view.site.lat_deg];
    const near = this.places().filter((place) => rangeAndBearing(centre, place).rangeM < FARTHEST_M);
    this.map.fitBounds(around([...near, ...corners(centre)]), { ...FIT, duration: 300 });
  }

  private places(): Position[] {
    return this.view ? [...features.unitPlaces(this.view.units), ...this.view.tracks.map(features.placeOf)] : [];
  }

  private restyle(theme: Theme): void {
    this.theme = theme;
    if (!this.styled) return void this.map.setStyle(style(theme, WORLD_URL), { diff: false });
    // Only colours differ: with its sources kept, no symbol is gone for a moment.
    this.map.setStyle({ ...style(theme, WORLD_URL), sources: this.map.getStyle().sources }, { diff: true });
    if (this.view) this.draw(this.view, this.view.at);
  }

  private restyled(): void {
    this.styled = true;
    this.site = "";
    this.threats = "";
    this.trailsAt = -Infinity;
    if (this.view) this.draw(this.view, this.view.at);
  }

  private draw(view: View, at: number): void {
    const image: features.ImageOf = (sidc, stale) => ensureSymbol(this.map, sidc, stale, this.theme);
    this.drawSite(view);
    this.drawTrails(view);
    this.set("wedges", features.wedgeFeatures(view));
    this.set("ellipses", features.ellipseFeatures(view));
    this.set("predictions", features.predictionFeatures(view));
    this.drawThreats(view, at);
    this.set("units", features.unitFeatures(view, image));
    this.set("tracks", features.trackFeatures(view, image));
  }

  private drawSite(view: View): void {
    const site = JSON.stringify(view.site);
    if (site !== this.site) this.set("site", features.siteFeatures(view.site));
    this.site = site;
  }

  /** The seconds on a line run down between two pictures, as those on its card do. */
  private drawThreats(view: View, at: number): void {
    const threats = features.threatFeatures(view, at, (a, b) => this.crowded(a, b));
    const drawn = JSON.stringify(threats);
    if (drawn !== this.threats) this.set("threats", threats);
    this.threats = drawn;
  }

  private crowded(a: Position, b: Position): boolean {
    return this.map.project(a).dist(this.map.project(b)) < CROWDED_PX;
  }

  /** Once a second is enough for a trail, and spares the worker. */
  private drawTrails(view: View): void {
    if (Math.abs(view.at - this.trailsAt) < 1) return;
    this.trailsAt = view.at;
    this.set("trails", this.trails.features(view.at));
  }

  private set(name: SourceName, list: Feature[]): void {
    const source = this.map.getSource<GeoJSONSource>(name);
    void source?.setData({ type: "FeatureCollection", features: list });
  }

  private framed = "";

  /** The first picture of a site frames it once; after that the map belongs to the person. */
  private frameSite(view: View): void {
    if (this.framed === view.site.name) return;
    this.framed = view.site.name;
    const centre: Position = [view.site.lon_deg, view.site.lat_deg];
    const places = [centre, ...features.unitPlaces(view.units), ...view.tracks.map(features.placeOf)];
    const near = places.filter((place) => rangeAndBearing(centre, place).rangeM < 10_000);
    this.map.fitBounds(around([...near, ...corners(centre)]), { ...FIT, duration: 0 });
  }

  private point(event: MapMouseEvent): void {
    if (!this.view) return;
    const { lng, lat } = event.lngLat;
    const { rangeM, azimuthDeg } = rangeAndBearing([this.view.site.lon_deg, this.view.site.lat_deg], [lng, lat]);
    this.told.pointed(`${distance(rangeM)} ${direction(azimuthDeg)} of ${this.view.site.name}   ${lat.toFixed(5)}, ${lng.toFixed(5)}`);
  }
}

function corners([lon, lat]: Position): Position[] {
  const north = SMALLEST_PICTURE_M / 111_320;
  const east = north / Math.max(0.05, Math.cos((lat * Math.PI) / 180));
  return [[lon - east, lat - north], [lon + east, lat + north]];
}

function around(places: Position[]): LngLatBounds {
  const bounds = new LngLatBounds();
  for (const place of places) bounds.extend(place);
  return bounds;
}
