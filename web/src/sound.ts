// The desk's alarm, made on the spot: no file to load, none to miss. Browsers need one click first.

import type { Level } from "./model";

interface Tone {
  hz: number;
  at: number;
  long: number;
}

// Two alternating tones for "take cover", one rising pair for "prepare": told apart without looking.
const PATTERNS: Record<"imminent" | "warning" | "exercise" | "lost", Tone[]> = {
  imminent: [0, 1, 2, 3, 4, 5].map((i) => ({ hz: i % 2 ? 740 : 988, at: i * 0.16, long: 0.14 })),
  warning: [{ hz: 587, at: 0, long: 0.25 }, { hz: 784, at: 0.3, long: 0.35 }],
  exercise: [{ hz: 330, at: 0, long: 0.5 }],
  lost: [{ hz: 294, at: 0, long: 0.3 }, { hz: 220, at: 0.35, long: 0.5 }],
};

const REPEAT_S: Partial<Record<Level, number>> = { imminent: 3, warning: 10 };

export class Sound {
  private context: AudioContext | null = null;
  private last = -Infinity;
  private lastLevel: Level | null = null;

  get on(): boolean {
    return this.context?.state === "running";
  }

  /** To be called from a click or key press. */
  async allow(): Promise<void> {
    this.context ??= new AudioContext();
    await this.context.resume();
  }

  async silence(): Promise<void> {
    await this.context?.suspend();
  }

  /** One pattern now; an exercise is announced by its own tone first. */
  play(pattern: keyof typeof PATTERNS, exercise = false): void {
    const lead = exercise && pattern !== "exercise" ? 0.7 : 0;
    if (lead > 0) this.schedule(PATTERNS.exercise, 0);
    this.schedule(PATTERNS[pattern], lead);
  }

  /** Call often with the worst level that should sound; repeats until somebody has it in hand. */
  alarm(level: Level | null, exercise: boolean): void {
    const now = performance.now() / 1000;
    const repeat = level ? REPEAT_S[level] : undefined;
    const due = level !== this.lastLevel || now - this.last >= (repeat ?? Infinity);
    this.lastLevel = level;
    if (!this.on || !repeat || !due) return;
    this.last = now;
    this.play(level as "imminent" | "warning", exercise);
  }

  private schedule(tones: Tone[], lead: number): void {
    const context = this.context;
    if (!context) return;
    for (const tone of tones) this.tone(context, { ...tone, at: context.currentTime + lead + tone.at });
  }

  private tone(context: AudioContext, { hz, at, long }: Tone): void {
    const [oscillator, gain] = [context.createOscillator(), context.createGain()];
    oscillator.type = "triangle";
    oscillator.frequency.value = hz;
    gain.gain.setValueAtTime(0, at);
    gain.gain.linearRampToValueAtTime(0.5, at + 0.015);
    gain.gain.setValueAtTime(0.5, at + long - 0.03);
    gain.gain.linearRampToValueAtTime(0, at + long);
    oscillator.connect(gain).connect(context.destination);
    oscillator.start(at);
    oscillator.stop(at + long);
  }
}
