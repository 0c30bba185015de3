// The map's style: sources, and layers from the ground up. No glyphs, sprites or tiles are named, so
// that nothing is asked of a network: labels draw with the machine's own fonts.

import type { ExpressionSpecification, LayerSpecification, StyleSpecification } from "maplibre-gl";
import { COLOURS, type Colours, type Theme } from "../theme";

export const SOURCES = ["site", "trails", "wedges", "ellipses", "predictions", "threats", "units", "tracks"] as const;
export type SourceName = (typeof SOURCES)[number];

const FONT = ["Noto Sans Regular"];

const byLevel = (c: Colours): ExpressionSpecification =>
  ["match", ["get", "level"], "imminent", c.levels["imminent"] ?? "", "warning", c.levels["warning"] ?? "",
   "advisory", c.levels["advisory"] ?? "", c.levels["info"] ?? ""];

const isPart = (part: string): ExpressionSpecification => ["==", ["get", "part"], part];

export function style(theme: Theme, worldUrl: string): StyleSpecification {
  const c = COLOURS[theme];
  const empty = { type: "geojson" as const, data: { type: "FeatureCollection" as const, features: [] } };
  return {
    version: 8,
    sources: {
      world: { type: "geojson", data: worldUrl },
      ...Object.fromEntries(SOURCES.map((name) => [name, empty])),
    },
    layers: [...ground(c), ...siteLayers(c), ...motion(c), ...threat(c), ...things("units", c), ...things("tracks", c), threatLabels(c)],
  };
}

/** Natural Earth is coarse: close to the site its shore would be off by a kilometre, so it fades out. */
function ground(c: Colours): LayerSpecification[] {
  return [
    { id: "sea", type: "background", paint: { "background-color": ["interpolate", ["linear"], ["zoom"], 8, c.sea, 10, c.land] } },
    { id: "land", type: "fill", source: "world", filter: isPart("land"), paint: { "fill-color": c.land, "fill-antialias": false } },
    { id: "shore", type: "line", source: "world", filter: isPart("land"), paint: { "line-color": c.line, "line-opacity": fadeOut(0.9) } },
    { id: "border", type: "line", source: "world", filter: isPart("border"),
      paint: { "line-color": c.muted, "line-opacity": fadeOut(0.6), "line-dasharray": [3, 2] } },
  ];
}

const fadeOut = (from: number): ExpressionSpecification => ["interpolate", ["linear"], ["zoom"], 8, from, 10, 0];

function siteLayers(c: Colours): LayerSpecification[] {
  return [
    { id: "rings", type: "line", source: "site", filter: ["match", ["get", "part"], ["ring", "spoke"], true, false],
      paint: { "line-color": c.line, "line-width": 1 } },
    { id: "ring-names", type: "symbol", source: "site", filter: isPart("name"), minzoom: 8,
      layout: { "text-field": ["get", "label"], "text-font": FONT, "text-size": 11, "text-anchor": "bottom", "text-offset": [0, -0.2] },
      paint: text(c.muted, c) },
    { id: "site-mark", type: "circle", source: "site", filter: isPart("site"),
      paint: { "circle-radius": 4, "circle-color": c.land, "circle-stroke-color": c.muted, "circle-stroke-width": 2 } },
    { id: "site-name", type: "symbol", source: "site", filter: isPart("site"),
      layout: { "text-field": ["get", "label"], "text-font": FONT, "text-size": 12, "text-anchor": "top", "text-offset": [0, 0.6] },
      paint: text(c.muted, c) },
  ];
}

function motion(c: Colours): LayerSpecification[] {
  return [
    { id: "trails", type: "line", source: "trails",
      paint: { "line-color": c.prediction, "line-width": 2, "line-opacity": ["interpolate", ["linear"], ["get", "age"], 0, 0.7, 1, 0.05] } },
    { id: "wedges-fill", type: "fill", source: "wedges", paint: { "fill-color": c.prediction, "fill-opacity": 0.12 } },
    { id: "wedges", type: "line", source: "wedges", paint: { "line-color": c.prediction, "line-width": 1, "line-dasharray": [2, 3] } },
    { id: "ellipses-fill", type: "fill", source: "ellipses", paint: { "fill-color": c.prediction, "fill-opacity": 0.1 } },
    { id: "ellipses", type: "line", source: "ellipses", paint: { "line-color": c.prediction, "line-width": 1, "line-opacity": 0.8 } },
    { id: "predictions", type: "line", source: "predictions",
      paint: { "line-color": c.prediction, "line-width": 1.5, "line-dasharray": [3, 3] } },
  ];
}

function threat(c: Colours): LayerSpecification[] {
  return [
    { id: "threats-halo", type: "line", source: "threats", paint: { "line-color": c.halo, "line-width": 6 } },
    { id: "threats", type: "line", source: "threats", paint: { "line-color": byLevel(c), "line-width": 2.5 } },
  ];
}

function threatLabels(c: Colours): LayerSpecification {
  return {
    id: "threat-labels", type: "symbol", source: "threats", filter: ["has", "label"],
    layout: { "symbol-sort-key": ["get", "rank"],
      "text-offset": ["case", ["get", "aside"], ["literal", [0, 3.4]], ["literal", [0, 0]]], "text-field": ["get", "label"], "text-font": FONT, "text-size": 16,
      "text-allow-overlap": true, "text-ignore-placement": true },
    paint: { "text-color": byLevel(c), "text-halo-color": c.halo, "text-halo-width": 3 },
  };
}

/** A symbol never hides, however many collide with it; only its label may. */
function things(source: "units" | "tracks", c: Colours): LayerSpecification[] {
  return [{
    id: source, type: "symbol", source,
    layout: {
      "icon-image": ["get", "image"], "icon-allow-overlap": true, "icon-ignore-placement": true,
      ...(source === "tracks" ? { "symbol-sort-key": ["get", "rank"] } : {}),
      "text-field": ["get", "label"], "text-optional": true, "text-font": FONT, "text-size": 12,
      "text-justify": "auto", "text-variable-anchor": ["left", "right", "top", "bottom"], "text-radial-offset": 1.7,
    },
    paint: { ...text(c.text, c), "text-color": ["case", ["get", "stale"], c.muted, c.text], "icon-opacity": ["case", ["get", "stale"], 0.7, 1] },
  } as LayerSpecification];
}

const text = (colour: string, c: Colours) => ({ "text-color": colour, "text-halo-color": c.halo, "text-halo-width": 1.5 });
