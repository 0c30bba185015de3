// What the desk's templates draw from, and what they may ask for.

import type { Session } from "../door/session";
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
  session: Session;
  select(alert: string): void;
  acknowledge(alert: string): void;
  /** Bring a track into sight on the map. */
  show(track: string): void;
  toggleSound(): void;
  testSound(): void;
  toggleTheme(): void;
  showWho(): void;
}

export const SENDING = "Acknowledging";

/** Whether whoever is signed in may ever do it; a desk that rests is asked when it comes to it. */
export const may = (session: Session, permission: string): boolean =>
  session.may.includes(permission) || (!session.fresh && DESK.some((role) => session.roles.includes(role)));

const DESK = ["watch-officer", "supervisor"];
