// What the door shows to somebody who is not in yet: one question at a time.

import { html, nothing, type TemplateResult } from "lit";
import { keysWork, type SetUp } from "./session";

export type Step = "asking" | "sign-in" | "first" | "set-up" | "codes" | "phone" | "in";

export interface Door {
  step: Step;
  busy: boolean;
  failed: string;
  setUp: SetUp | null;
  codes: string[];
  name: string;
  submit(fields: FormData): void;
  byKey(): void;
  toSignIn(): void;
}

export function form(door: Door): TemplateResult {
  if (door.step === "sign-in") return signIn(door);
  if (door.step === "first") return first(door);
  if (door.step === "set-up") return setUp(door);
  if (door.step === "codes") return codes(door);
  if (door.step === "phone") return phone(door);
  return html`<p class="waiting" role="status">${door.failed || "Connecting to the station."}</p>`;
}

function signIn(door: Door): TemplateResult {
  return page(door, "Sign in", html`
    ${input("name", "Name", { autocomplete: "username", autocapitalize: "none" })}
    ${input("password", "Password", { type: "password", autocomplete: "current-password" })}
    ${input("code", "Code", { autocomplete: "one-time-code" }, "of the code generator, or one from paper")}
    <div class="buttons">
      ${keysWork() ? html`<button type="button" class="by-key" ?disabled=${door.busy} @click=${() => door.byKey()}>Security key</button>` : nothing}
      ${primary(door, "Sign in")}</div>`);
}

function first(door: Door): TemplateResult {
  return page(door, "The first administrator", html`
    <p>This account adds all others. It sees no people and decides no alert.</p>
    ${input("name", "Name", { autocomplete: "username", autocapitalize: "none" }, "a-z, 0-9, '.', '_' and '-'; it stands in the record and is never given again")}
    <div class="buttons">${primary(door, "Continue")}</div>`);
}

function setUp(door: Door): TemplateResult {
  const made = door.setUp;
  if (!made) return html`<p class="waiting" role="status">${door.failed || "One moment."}</p>`;
  return page(door, `Set up the account ${made.name}`, html`
    <p>Read this with the code generator on your phone. It is a secret.</p>
    ${made.picture ? html`<img class="qr" alt="QR code for the code generator" src=${made.picture}>` : nothing}
    <p class="uri">${made.uri}</p>
    <input type="hidden" name="user" autocomplete="username" .value=${made.name}>
    ${input("password", "A password of your own", { type: "password", autocomplete: "new-password" })}
    ${input("code", "The code that it shows now", { autocomplete: "one-time-code", inputmode: "numeric" })}
    <div class="buttons">${primary(door, "Finish")}</div>`);
}

function codes(door: Door): TemplateResult {
  return page(door, "Write these codes on paper", html`
    <p>Each lets you in once, for when the phone is lost. They are shown this once.</p>
    <ul class="codes num">${door.codes.map((code) => html`<li>${code}</li>`)}</ul>
    <div class="buttons"><button class="primary" type="button" @click=${() => door.toSignIn()}>I have them on paper</button></div>`);
}

function phone(door: Door): TemplateResult {
  if (door.failed) return page(door, "This phone is not signed in", html``);
  return page(door, door.name ? `Signed in: ${door.name}` : "One moment", html`
    <p>${door.name ? "This phone stays signed in for 180 days, or until it is reported lost." : ""}</p>`);
}

function page(door: Door, title: string, body: TemplateResult): TemplateResult {
  const submit = (event: SubmitEvent) => {
    event.preventDefault();
    door.submit(new FormData(event.currentTarget as HTMLFormElement));
  };
  return html`
    <form class="door" @submit=${submit}>
      <h1>Vedette</h1>
      <h2>${title}</h2>
      ${door.failed ? html`<p class="failed" role="alert">${door.failed}</p>` : nothing}
      ${body}
    </form>`;
}

const primary = (door: Door, words: string): TemplateResult =>
  html`<button class="primary" ?disabled=${door.busy}>${words}</button>`;

interface Kind {
  type?: string;
  autocomplete: AutoFill;
  autocapitalize?: string;
  inputmode?: string;
}

function input(name: string, label: string, kind: Kind, hint = ""): TemplateResult {
  return html`<label>${label}${hint ? html` <span class="muted">${hint}</span>` : nothing}
    <input name=${name} type=${kind.type ?? "text"} maxlength="256" spellcheck="false" autocomplete=${kind.autocomplete}
      autocapitalize=${kind.autocapitalize ?? "off"} inputmode=${kind.inputmode ?? "text"}></label>`;
}
