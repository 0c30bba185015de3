// Who is at the desk. Asked once a session; an acknowledgement without a name is worth nothing later.

import { html, type TemplateResult } from "lit";

const KEY = "vedette-actor";

export const actorName = (): string => sessionStorage.getItem(KEY) ?? "";

export function nameDialog(entered: () => void): TemplateResult {
  const submit = (event: SubmitEvent) => {
    event.preventDefault();
    const form = event.currentTarget as HTMLFormElement;
    const name = (new FormData(form).get("actor") as string).trim();
    if (!name) return;
    sessionStorage.setItem(KEY, name);
    form.closest("dialog")?.close();
    entered();
  };
  return html`
    <dialog class="name" aria-labelledby="name-title">
      <form @submit=${submit}>
        <h2 id="name-title">Who is at the desk?</h2>
        <p>Your name goes on the record with every alert that you acknowledge.</p>
        <input name="actor" required maxlength="80" autocomplete="off" aria-label="Your name" .value=${actorName()}>
        <div class="buttons"><button type="button" @click=${cancel}>Cancel</button><button class="primary">Continue</button></div>
      </form>
    </dialog>`;
}

const cancel = (event: Event): void => (event.currentTarget as HTMLElement).closest("dialog")?.close();
