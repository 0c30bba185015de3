// <vedette-door>: lets people in, and shows the desk to those who are.

import { html, LitElement } from "lit";
import { applyTheme, onSystemTheme } from "../theme";
import { type Door, form, type Step } from "./forms";
import { finish, first, here, phone, Refusal, type Session, setUp, type SetUp, signIn, signInByKey, whoAmI } from "./session";

const RETRY_MS = 2000;
const HERE_MS = 60_000;
/** The paths of links. What follows their # is a secret that is never sent in an address. */
const LINKS: Record<string, Step> = { "/first": "first", "/set-up": "set-up", "/phone": "phone" };

export class VedetteDoor extends LitElement {
  private step: Step = "asking";
  private session: Session | null = null;
  private link = "";
  private busy = false;
  private failed = "";
  private setUp: SetUp | null = null;
  private codes: string[] = [];
  private touched = 0;
  private focused: Step = "asking";

  protected override createRenderRoot(): HTMLElement {
    return this;
  }

  override connectedCallback(): void {
    super.connectedCallback();
    applyTheme();
    onSystemTheme(() => applyTheme());
    window.addEventListener("vedette-closed", () => void this.look());
    window.addEventListener("vedette-session", () => void this.look());
    for (const kind of ["pointerdown", "keydown"]) window.addEventListener(kind, () => this.touch(), { passive: true });
    void this.begin();
  }

  protected override render() {
    if (this.step === "in" && this.session) return html`<vedette-desk .session=${this.session}></vedette-desk>`;
    return form(this.door());
  }

  /** Whoever comes to a question can begin to type. */
  protected override updated(): void {
    if (this.focused === this.step) return;
    const field = this.querySelector<HTMLInputElement>("form.door input:not([type=hidden])");
    if (field || this.step === "in") this.focused = this.step;
    field?.focus();
  }

  private door(): Door {
    return {
      step: this.step, busy: this.busy, failed: this.failed, setUp: this.setUp, codes: this.codes, name: this.session?.display ?? "",
      submit: (fields) => void this.submit(fields),
      byKey: () => void this.attempt(async () => this.enter(await signInByKey())),
      toSignIn: () => this.show("sign-in"),
    };
  }

  private async begin(): Promise<void> {
    const step = LINKS[location.pathname];
    this.link = location.hash.slice(1);
    if (!step || !this.link) return this.look();
    // The secret does not stay in the address bar or in the history.
    history.replaceState(null, "", "/");
    this.show(step);
    if (step === "set-up") await this.attempt(async () => void (this.setUp = await setUp(this.link)));
    if (step === "phone") await this.attempt(async () => void (this.session = await phone(this.link)));
  }

  /** Ask who is signed in: at the beginning, and whenever the station has closed the picture. */
  private async look(): Promise<void> {
    if (this.step !== "asking" && this.step !== "in") return;
    try {
      this.enter(await whoAmI());
    } catch (error) {
      if (error instanceof Refusal && error.status === 401) return this.show("sign-in");
      // A desk whose station does not answer keeps its last picture, says so itself, and comes back here.
      if (this.step === "in") return;
      this.failed = "The station does not answer. Nothing is known.";
      setTimeout(() => void this.look(), RETRY_MS);
      this.requestUpdate();
    }
  }

  private async submit(fields: FormData): Promise<void> {
    const field = (name: string): string => ((fields.get(name) as string | null) ?? "").trim();
    const secret = (fields.get("password") as string | null) ?? "";
    await this.attempt(async () => {
      if (this.step === "sign-in") this.enter(await signIn(field("name"), secret, field("code")));
      else if (this.step === "first") await this.toSetUp((await first(this.link, field("name"))).link);
      else if (this.step === "set-up") {
        this.codes = (await finish(this.link, secret, field("code"))).codes;
        this.show("codes");
      }
    });
  }

  private async toSetUp(link: string): Promise<void> {
    this.link = link;
    this.setUp = await setUp(link);
    this.show("set-up");
  }

  private async attempt(work: () => Promise<void>): Promise<void> {
    if (this.busy) return;
    this.busy = true;
    this.failed = "";
    this.requestUpdate();
    try {
      await work();
    } catch (error) {
      this.failed = error instanceof Error ? sentence(error.message) : "It did not work.";
    }
    this.busy = false;
    this.requestUpdate();
  }

  private enter(session: Session): void {
    this.session = session;
    this.show(session.kind === "officer" ? "phone" : "in");
  }

  private show(step: Step): void {
    if (step !== "in" && step !== "phone") this.session = null;
    this.step = step;
    this.failed = "";
    this.requestUpdate();
  }

  /** Somebody is at the desk: it does not begin to rest. */
  private touch(): void {
    if (this.step !== "in" || performance.now() - this.touched < HERE_MS) return;
    this.touched = performance.now();
    void here().catch(() => undefined);
  }
}

const sentence = (words: string): string => words.charAt(0).toUpperCase() + words.slice(1) + (/[.!?]$/.test(words) ? "" : ".");

customElements.define("vedette-door", VedetteDoor);
