// What the desk's templates draw from, and what they may ask for.

import type { Link } from "../live";
import type { View } from "../model";
import type { Theme } from "../theme";

export interface Desk {
  view: View;
  at: number;
  age: number;
  clock: number;
  link: Link;
  theme: Theme;
  soundOn: boolean;
  selected: string | null;
  /** Alert id -> what became of this desk's acknowledgement. */
  pending: ReadonlyMap<string, string>;
  actor: string;
  select(alert: string): void;
  acknowledge(alert: string): void;
  /** Bring a track into sight on the map. */
  show(track: string): void;
  toggleSound(): void;
  testSound(): void;
  toggleTheme(): void;
  changeActor(): void;
}

export const SENDING = "Acknowledging";
