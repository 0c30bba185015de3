// <vedette-map>: the map as an element. The desk hands it the picture; it hands nothing back.

import { html, LitElement, type PropertyValues } from "lit";
import type { Position } from "../geo";
import type { View } from "../model";
import type { Theme } from "../theme";
import { objects } from "../words";
import { Picture } from "./picture";

export class VedetteMap extends LitElement {
  static override properties = {
    view: { attribute: false },
    at: { attribute: false },
    theme: { attribute: false },
    problem: { state: true },
    pointer: { state: true },
    outside: { state: true },
  };

  view: View | null = null;
  at = 0;
  theme: Theme = "day";
  picture: Picture | null = null;
  private problem = "";
  private pointer = "";
  private outside = 0;

  protected override createRenderRoot(): HTMLElement {
    return this;
  }

  protected override firstUpdated(): void {
    const container = this.querySelector<HTMLElement>(".map-canvas");
    if (!container) return;
    try {
      this.picture = new Picture(container, this.theme, {
        pointed: (words) => (this.pointer = words),
        moved: () => this.countOutside(),
      });
    } catch (error) {
      // Without WebGL the desk still has its alerts, which is what it is for.
      this.problem = `This browser cannot draw the map (${String(error)}). Alerts are shown all the same.`;
    }
  }

  protected override updated(changed: PropertyValues<this>): void {
    if (this.view && (changed.has("view") || changed.has("theme") || changed.has("at")))
      this.picture?.show(this.view, this.at, this.theme);
    if (changed.has("view")) this.countOutside();
  }

  /** After the update that saw it, or the element would change while it is drawn. */
  private countOutside(): void {
    queueMicrotask(() => (this.outside = this.picture?.outside() ?? 0));
  }

  reveal(places: Position[]): void {
    this.picture?.reveal(places);
  }

  showAll(): void {
    this.picture?.showAll();
  }

  protected override render() {
    return html`
      <div class="map-canvas" aria-label="Map of the site"></div>
      ${this.outside > 0 ? html`<button class="outside" @click=${() => this.showAll()}>${objects(this.outside)} outside the map <kbd>T</kbd></button>` : null}
      ${this.problem ? html`<p class="map-problem">${this.problem}</p>` : null}
      <div class="map-foot"><span class="num">${this.pointer}</span><span>World outline only: no roads, no terrain loaded</span></div>`;
  }
}

customElements.define("vedette-map", VedetteMap);
