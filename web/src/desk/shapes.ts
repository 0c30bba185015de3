// The shape of each level, so that colour is never the only sign.

import { svg, html, type TemplateResult } from "lit";
import type { Level } from "../model";

const SHAPES: Record<Level, TemplateResult> = {
  imminent: svg`<path d="M6.5 1h7L19 6.5v7L13.5 19h-7L1 13.5v-7z"/>`,
  warning: svg`<path d="M10 1.5 19.5 18.5H.5z"/>`,
  advisory: svg`<path d="M10 .8 19.2 10 10 19.2.8 10z"/>`,
  info: svg`<circle cx="10" cy="10" r="6"/>`,
};

export const shape = (level: Level): TemplateResult =>
  html`<svg class="shape" viewBox="0 0 20 20" aria-hidden="true">${SHAPES[level]}</svg>`;
