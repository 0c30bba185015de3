// <vedette-map>: the map as an element. The desk hands it the picture; it hands nothing back.

import { html, LitElement, type PropertyValues } from "lit";
import type { Position } from "../geo";
import type { View } from "../model";
import type { Theme } from "../theme";
import { Picture } from "./picture";

export class VedetteMap extends LitElement {
  static override properties = {
    view: { attribute: false },
    at: { attribute: false },
    theme: { attribute: false },
    problem: { state: true },
    pointer: { state: true },
  };

  view: View | null = null;
  at = 0;
  theme: Theme = "day";
  picture: Picture | null = null;
  private problem = "";
  private pointer = "";

  protected override createRenderRoot(): HTMLElement {
    return this;
  }

  protected override firstUpdated(): void {
    const container = this.querySelector<HTMLElement>(".map-canvas");
    if (!container) return;
    try {
      this.picture = new Picture(container, this.theme, (words) => (this.pointer = words));
    } catch (error) {
      // Without WebGL the desk still has its alerts, which is what it is for.
      this.problem = `This browser cannot draw the map (${String(error)}). Alerts are shown all the same.`;
    }
  }

  protected override updated(changed: PropertyValues<this>): void {
    if (this.view && (changed.has("view") || changed.has("theme") || changed.has("at")))
      this.picture?.show(this.view, this.at, this.theme);
  }

  reveal(places: Position[]): void {
    this.picture?.reveal(places);
  }

  protected override render() {
    return html`
      <div class="map-canvas" aria-label="Map of the site"></div>
      ${this.problem ? html`<p class="map-problem">${this.problem}</p>` : null}
      <div class="map-foot"><span class="num">${this.pointer}</span><span>World outline only: no roads, no terrain loaded</span></div>`;
  }
}

customElements.define("vedette-map", VedetteMap);
