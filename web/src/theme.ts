// Day or night: the system's choice until a person makes another. The map needs the colours as values.

export type Theme = "day" | "night";

export interface Colours {
  land: string;
  sea: string;
  line: string;
  muted: string;
  text: string;
  halo: string;
  stale: string;
  prediction: string;
  levels: Record<string, string>;
}

export const COLOURS: Record<Theme, Colours> = {
  day: {
    land: "#f6f5f2", sea: "#e6eaec", line: "#d0ccc3", muted: "#5d6066", text: "#16181b", halo: "#f6f5f2",
    stale: "#8d9096", prediction: "#3d4147",
    levels: { imminent: "#c4161c", warning: "#c96a00", advisory: "#8a6d00", info: "#4a5a6a" },
  },
  night: {
    land: "#0f1316", sea: "#0a0d0f", line: "#2a3037", muted: "#8b929b", text: "#d9dde2", halo: "#0c0f12",
    stale: "#6a7078", prediction: "#aab1ba",
    levels: { imminent: "#ff4d4f", warning: "#ffa02e", advisory: "#e3c341", info: "#8ea3b8" },
  },
};

const dark = matchMedia("(prefers-color-scheme: dark)");
const KEY = "vedette-theme";

export function theme(): Theme {
  const chosen = sessionStorage.getItem(KEY);
  if (chosen === "day" || chosen === "night") return chosen;
  return dark.matches ? "night" : "day";
}

export function applyTheme(): void {
  const { dataset } = document.documentElement;
  if (dataset["theme"] !== theme()) dataset["theme"] = theme();
}

export function toggleTheme(): void {
  sessionStorage.setItem(KEY, theme() === "day" ? "night" : "day");
  applyTheme();
}

export const onSystemTheme = (changed: () => void): void => dark.addEventListener("change", changed);
