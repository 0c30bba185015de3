// The connection to the station: the newest picture, how old it is, and whether anybody is still talking.

import type { View } from "./model";

const SILENCE_S = 3;
const RETRY_S = [0.5, 1, 2, 4, 5];

export type Link = "connecting" | "live" | "lost";

const seconds = (): number => performance.now() / 1000;

export class Live {
  view: View | null = null;
  private socket: WebSocket | null = null;
  private attempt = 0;
  private changedAt = seconds();
  private open = false;
  private stopped = true;
  private timer: ReturnType<typeof setInterval> | undefined;

  constructor(private readonly changed: () => void) {}

  start(): void {
    this.stopped = false;
    this.connect();
    this.timer = setInterval(() => this.watch(), 500);
  }

  stop(): void {
    this.stopped = true;
    clearInterval(this.timer);
    this.socket?.close();
  }

  /** Seconds since the station's own time last moved on: a frozen station ages like a dead line. */
  get age(): number {
    return seconds() - this.changedAt;
  }

  get link(): Link {
    if (this.view === null && this.age <= SILENCE_S) return "connecting";
    return this.open && this.age <= SILENCE_S ? "live" : "lost";
  }

  /** Station time now, carried on from the last picture while the station talks. */
  get at(): number {
    if (!this.view) return Date.now() / 1000;
    const passed = this.link === "live" ? this.age * this.view.speed : 0;
    return this.view.at + passed;
  }

  /** The time of day: it goes on when the picture does not. */
  get clock(): number {
    return this.view ? this.view.at + this.age * this.view.speed : Date.now() / 1000;
  }

  private connect(): void {
    const socket = new WebSocket(`${location.protocol === "https:" ? "wss" : "ws"}://${location.host}/api/v1/live`);
    this.socket = socket;
    socket.onopen = () => this.opened();
    socket.onmessage = (message) => this.received(JSON.parse(message.data as string) as View);
    socket.onclose = () => this.closed(socket);
  }

  private opened(): void {
    this.open = true;
    this.attempt = 0;
  }

  private received(view: View): void {
    if (view.at !== this.view?.at) this.changedAt = seconds();
    this.view = view;
    this.changed();
  }

  private closed(socket: WebSocket): void {
    if (socket !== this.socket || this.stopped) return;
    this.open = false;
    this.changed();
    // The line is gone, or nobody is signed in any more: the door finds out which.
    window.dispatchEvent(new CustomEvent("vedette-closed"));
    const wait = RETRY_S[Math.min(this.attempt, RETRY_S.length - 1)] ?? 5;
    this.attempt += 1;
    setTimeout(() => this.stopped || this.connect(), wait * 1000);
  }

  /** A line that is open but says nothing is dropped: the next one may be better. */
  private watch(): void {
    if (this.open && this.age > 2 * SILENCE_S) this.socket?.close();
    this.changed();
  }
}

export interface NotTaken {
  code: string;
  words: string;
}

/** Tell the station that whoever is signed in has the alert in hand, having read this revision; null: it was taken. */
export async function acknowledge(alert: string, revision?: number): Promise<NotTaken | null> {
  try {
    const response = await fetch(`/api/v1/alerts/${encodeURIComponent(alert)}/acknowledge`, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify(revision === undefined ? {} : { revision }),
      signal: AbortSignal.timeout(5000),
    });
    if (response.ok) return null;
    const answer = (await response.json().catch(() => ({}))) as { detail?: string; code?: string };
    return { code: answer.code ?? "", words: `Not acknowledged: ${answer.detail ?? `the station answered ${response.status}`}` };
  } catch {
    return { code: "", words: "Not acknowledged: the station does not answer. Try again." };
  }
}
