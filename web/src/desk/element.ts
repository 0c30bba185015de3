// <vedette-desk>: the page of the watch officer.

import { html, LitElement, type PropertyValues } from "lit";
import type { Session } from "../door/session";
import { acknowledge, Live } from "../live";
import { type AlertView, isOpen, LEVEL_RANK, type Level, needsHand, sounds } from "../model";
import { placeOf, unitPlaces } from "../map/features";
import type { VedetteMap } from "../map/element";
import { Sound } from "../sound";
import { applyTheme, onSystemTheme, theme, toggleTheme } from "../theme";
import { alertText, unitName } from "../words";
import { banners, bar } from "./bar";
import { panel } from "./panel";
import { rail } from "./rail";
import { type Desk, may, SENDING } from "./state";
import { whoDialog } from "./who-dialog";

export class VedetteDesk extends LitElement {
  static override properties = { session: { attribute: false } };
  declare session: Session;
  private readonly live = new Live(() => this.onPicture());
  private readonly sound = new Sound();
  private readonly pending = new Map<string, string>();
  private selected: string | null = null;
  /** The alert that waits until the desk is woken; "" while somebody looks who is signed in; null: no dialog. */
  private asked: string | null = null;
  private said = "";
  private sounding: ReadonlySet<string> = new Set();
  private announced = "";
  private wasLive = false;

  protected override createRenderRoot(): HTMLElement {
    return this;
  }

  override connectedCallback(): void {
    super.connectedCallback();
    applyTheme();
    onSystemTheme(() => (applyTheme(), this.requestUpdate()));
    window.addEventListener("keydown", this.onKey);
    this.live.start();
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    window.removeEventListener("keydown", this.onKey);
    this.live.stop();
  }

  protected override render() {
    const view = this.live.view;
    if (!view) return html`<p class="waiting" role="status">${this.live.link === "lost" ? "The station does not answer. Nothing is known." : "Connecting to the station."}</p>`;
    const desk = this.desk();
    return html`
      <div class="desk ${desk.link === "lost" ? "is-lost" : ""} ${view.mode === "exercise" ? "is-exercise" : ""}">
        ${bar(desk)}
        <div class="banners">${banners(desk)}</div>
        <main>${rail(desk)}<vedette-map .view=${view} .at=${desk.at} .theme=${desk.theme}></vedette-map>${panel(desk)}</main>
        <div class="hidden" role="alert" aria-live="assertive">${this.announced}</div>
        ${whoDialog({
          session: this.session, waiting: Boolean(this.asked), said: this.said,
          tell: (words) => ((this.said = words), this.requestUpdate()),
          woken: () => this.onWoken(),
        })}
      </div>`;
  }

  /** The system's colour scheme can change without an event that reaches this page. */
  protected override willUpdate(_: PropertyValues): void {
    applyTheme();
  }

  protected override updated(_: PropertyValues): void {
    const dialog = this.querySelector<HTMLDialogElement>("dialog.who-dialog");
    if (this.asked !== null && dialog && !dialog.open) dialog.showModal();
  }

  private desk(): Desk {
    const view = this.live.view;
    if (!view) throw new Error("the desk has no picture yet");
    return {
      view, at: this.live.at, age: this.live.age, clock: this.live.clock, link: this.live.link, theme: theme(),
      soundOn: this.sound.on, selected: this.selected, pending: this.pending, session: this.session,
      select: (alert) => this.select(alert),
      acknowledge: (alert) => void this.acknowledge(alert),
      show: (track) => this.show(track),
      toggleSound: () => void this.toggleSound(),
      testSound: () => void this.testSound(),
      toggleTheme: () => (toggleTheme(), this.requestUpdate()),
      showWho: () => this.ask(""),
    };
  }

  private onPicture(): void {
    const open = this.live.view?.alerts.filter(isOpen) ?? [];
    this.forgetSettled(open);
    this.announce(open);
    this.sound.alarm(worst(open), !open.filter(sounds).some(({ alert }) => !alert.status));
    this.noticeLoss();
    this.revealNew(open);
    this.requestUpdate();
  }

  private forgetSettled(open: AlertView[]): void {
    for (const id of this.pending.keys()) {
      const shown = open.find((candidate) => candidate.alert.alert === id);
      if (!shown || !needsHand(shown)) this.pending.delete(id);
    }
  }

  /** The words change only when the danger does, or a screen reader would never stop. */
  private announce(open: AlertView[]): void {
    const view = this.live.view;
    const words = open.filter(sounds).map(({ alert }) =>
      `${alert.status ? `${alert.status}. ` : ""}${alert.level}: ${view ? alert.units.map((u) => unitName(view, u)).join(", ") : ""}. ${alertText(alert)}`);
    this.announced = words.join(" ");
  }

  private noticeLoss(): void {
    const isLive = this.live.link === "live";
    if (this.wasLive && !isLive && this.sound.on) this.sound.play("lost");
    this.wasLive = isLive;
  }

  private select(alert: string): void {
    if (this.selected === alert) return;
    this.selected = alert;
    this.requestUpdate();
    this.reveal(alert);
  }

  private reveal(id: string): void {
    const view = this.live.view;
    const shown = view?.alerts.find((candidate) => candidate.alert.alert === id);
    if (!view || !shown) return;
    const tracks = view.tracks.filter((track) => track.id === shown.alert.track).map(placeOf);
    const units = unitPlaces(view.units.filter((unit) => shown.alert.units.includes(unit.unit)));
    this.querySelector<VedetteMap>("vedette-map")?.reveal([...tracks, ...units]);
  }

  private show(id: string): void {
    const places = this.live.view?.tracks.filter((track) => track.id === id).map(placeOf) ?? [];
    this.querySelector<VedetteMap>("vedette-map")?.reveal(places);
  }

  /** What begins to sound comes into sight by itself, unless somebody is looking at another alert. */
  private revealNew(open: AlertView[]): void {
    const sounding = open.filter(sounds).map((shown) => shown.alert.alert);
    const fresh = sounding.find((alert) => !this.sounding.has(alert));
    this.sounding = new Set(sounding);
    if (fresh !== undefined && this.selected === null) this.reveal(fresh);
  }

  private async acknowledge(alert: string): Promise<void> {
    if (this.pending.get(alert) === SENDING) return;
    this.pending.set(alert, SENDING);
    this.requestUpdate();
    const revision = this.live.view?.alerts.find((shown) => shown.alert.alert === alert)?.alert.revision;
    const failed = await acknowledge(alert, revision);
    if (failed?.code === "confirm") return this.pending.delete(alert), this.ask(alert);
    if (failed?.code === "sign-in") window.dispatchEvent(new CustomEvent("vedette-session"));
    if (failed) this.pending.set(alert, failed.words);
    this.requestUpdate();
  }

  private ask(alert: string): void {
    this.asked = alert;
    this.said = "";
    this.querySelector("dialog.who-dialog")?.addEventListener("close", () => (this.asked = null), { once: true });
    this.requestUpdate();
  }

  private onWoken(): void {
    const alert = this.asked;
    this.querySelector<HTMLDialogElement>("dialog.who-dialog")?.close();
    this.asked = null;
    window.dispatchEvent(new CustomEvent("vedette-session"));
    if (alert) void this.acknowledge(alert);
    this.requestUpdate();
  }

  private async toggleSound(): Promise<void> {
    await (this.sound.on ? this.sound.silence() : this.sound.allow());
    this.requestUpdate();
  }

  private async testSound(): Promise<void> {
    await this.sound.allow();
    this.sound.play("imminent", this.live.view?.mode === "exercise");
    this.requestUpdate();
  }

  private readonly onKey = (event: KeyboardEvent): void => {
    const typing = event.target instanceof HTMLInputElement || this.querySelector("dialog[open]");
    if (typing || event.ctrlKey || event.metaKey || event.altKey || event.repeat) return;
    const open = this.live.view?.alerts.filter(isOpen) ?? [];
    if (event.key === "a" || event.key === "A") {
      event.preventDefault(); // or the key would be typed into the dialog that it opens
      this.keyAcknowledge(open);
    } else if (event.key === "t" || event.key === "T") this.querySelector<VedetteMap>("vedette-map")?.showAll();
    else if (event.key === "ArrowDown" || event.key === "ArrowUp") this.step(open, event);
    else if (event.key === "Escape") (this.selected = null), this.requestUpdate();
  };

  /** A acts on what is visibly selected; with nothing selected it selects, so that no alert is
   * acknowledged which moved to the top under somebody's finger. */
  private keyAcknowledge(open: AlertView[]): void {
    const shown = open.find((candidate) => candidate.alert.alert === this.selected);
    const first = open.find(needsHand);
    if (shown && needsHand(shown) && !may(this.session, "acknowledge-desk")) return;
    if (shown && needsHand(shown)) void this.acknowledge(shown.alert.alert);
    else if (!shown && first) this.select(first.alert.alert);
  }

  private step(open: AlertView[], event: KeyboardEvent): void {
    if (open.length === 0) return;
    event.preventDefault();
    const here = open.findIndex((shown) => shown.alert.alert === this.selected);
    const next = Math.max(0, Math.min(open.length - 1, here + (event.key === "ArrowDown" ? 1 : -1)));
    const shown = open[next];
    if (shown) this.select(shown.alert.alert);
  }
}

function worst(open: AlertView[]): Level | null {
  const levels = open.filter(sounds).map((shown) => shown.alert.level);
  return levels.sort((a, b) => LEVEL_RANK[b] - LEVEL_RANK[a])[0] ?? null;
}

customElements.define("vedette-desk", VedetteDesk);
