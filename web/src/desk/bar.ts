// The top bar and the banners under it: the state in one sentence, and whether it can be believed.

import { html, nothing, type TemplateResult } from "lit";
import { sounds } from "../model";
import { duration, local, recordBanner, recordWords, utc } from "../words";
import type { Desk } from "./state";

export function bar(desk: Desk): TemplateResult {
  return html`
    <header class="bar">
      <b class="site">${desk.view.site.name}</b>
      ${desk.view.mode === "exercise" ? html`<b class="exercise-mark">EXERCISE</b>` : nothing}
      <span class="summary" title=${desk.view.summary}>${desk.view.summary}</span>
      <span class="record record-${desk.view.record.state}">${recordWords(desk.view)}</span>
      ${controls(desk)}
      <span class="clocks num"><span><b>${utc(desk.clock)}</b> UTC</span><span>${local(desk.clock)} local</span></span>
      <span class="link link-${desk.link} num"><b>${linkWords(desk)}</b><span>data ${age(desk.age)}</span></span>
    </header>`;
}

function controls(desk: Desk): TemplateResult {
  const wanted = !desk.soundOn && desk.view.alerts.some(sounds);
  return html`
    <span class="controls">
      <button class="sound ${wanted ? "wanted" : ""}" aria-pressed=${desk.soundOn ? "true" : "false"} @click=${() => desk.toggleSound()}>
        ${desk.soundOn ? "Sound is on" : "Sound is off"}</button>
      <button class="test-sound" @click=${() => desk.testSound()} title="Play the alarm once">Test<span class="long"> sound</span></button>
      <button class="theme" @click=${() => desk.toggleTheme()}>${desk.theme === "day" ? "Night" : "Day"}</button>
      <button class="actor" @click=${() => desk.showWho()} title="Who is signed in">${desk.session.display}</button>
    </span>`;
}

const linkWords = (desk: Desk): string => ({ live: "Live", connecting: "Connecting", lost: "No connection" })[desk.link];

const age = (seconds: number): string => (seconds < 10 ? `${(Math.floor(seconds * 10) / 10).toFixed(1)} s` : duration(seconds));

export function banners(desk: Desk): TemplateResult {
  const record = recordBanner(desk.view);
  return html`
    ${desk.link === "lost" ? html`<p class="banner lost" role="alert">Connection to the station lost.
      This picture is <span class="num">${duration(desk.age)}</span> old, from ${utc(desk.view.at)} UTC. Warnings to the field do not depend on this page.</p>` : nothing}
    ${desk.session.method === "demo" && desk.view.mode === "live" ? html`<p class="banner unseen demo" role="status">A demo desk before real
      sensors: whoever opens this page acts as ${desk.session.name}. Give people accounts before anybody relies on it.</p>` : nothing}
    ${desk.session.may.includes("view-people") ? nothing : html`<p class="banner unseen" role="status">You are signed in as
      ${desk.session.roles.join(", ").replaceAll("-", " ")}: people and alerts are not shown to you. This says nothing about danger.</p>`}
    ${record ? html`<p class="banner degraded" role="alert">${record}</p>` : nothing}`;
}
