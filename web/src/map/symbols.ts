// 2525D symbols as map images, drawn once per symbol number, colour mode and staleness.

import type { Map as MapLibre } from "maplibre-gl";
import ms from "milsymbol";
import { COLOURS, type Theme } from "../theme";

const SIZE = 26;
const FRAME_ONLY = "10010000000000000000"; // an unknown thing of an unknown kind

export function symbolName(sidc: string, stale: boolean, theme: Theme): string {
  return `${sidc}|${stale ? "stale" : "live"}|${theme}`;
}

/** Make sure that the image of this symbol exists in the map's style; returns its name. */
export function ensureSymbol(map: MapLibre, sidc: string, stale: boolean, theme: Theme): string {
  const name = symbolName(sidc, stale, theme);
  if (!map.hasImage(name)) {
    const ratio = Math.max(2, Math.ceil(devicePixelRatio));
    map.addImage(name, draw(sidc, stale, theme, ratio), { pixelRatio: ratio });
  }
  return name;
}

/** Draw an image that the map misses: after a change of theme, drawings already on their way still ask for the old one. */
export function supplySymbol(map: MapLibre, name: string): void {
  const [sidc = "", age, theme] = name.split("|");
  if (theme === "day" || theme === "night") ensureSymbol(map, sidc, age === "stale", theme);
}

function draw(sidc: string, stale: boolean, theme: Theme, ratio: number): ImageData {
  const options = {
    size: SIZE,
    colorMode: theme === "day" ? "Light" : "Dark",
    outlineWidth: 3,
    outlineColor: COLOURS[theme].halo,
    ...(stale ? { monoColor: COLOURS[theme].stale } : {}),
  };
  const wanted = new ms.Symbol(sidc, options);
  const symbol = wanted.isValid() ? wanted : new ms.Symbol(FRAME_ONLY, options);
  const canvas = symbol.asCanvas(ratio);
  const context = canvas.getContext("2d");
  if (!context) throw new Error("this browser cannot draw on a canvas");
  return context.getImageData(0, 0, canvas.width, canvas.height);
}
