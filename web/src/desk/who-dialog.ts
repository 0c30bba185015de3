// Who is at the desk, and the question that wakes a desk which rests: an acknowledgement has a person behind it.

import { html, nothing, type TemplateResult } from "lit";
import { addKey, confirm, keysWork, type Session, signInByKey, signOut } from "../door/session";

export interface Who {
  session: Session;
  /** What is waiting for the confirmation; null: somebody looks at who is signed in. */
  waiting: boolean;
  said: string;
  tell(words: string): void;
  woken(): void;
}

export function whoDialog(who: Who): TemplateResult {
  return html`
    <dialog class="who-dialog" aria-labelledby="who-title">
      <form @submit=${(event: SubmitEvent) => void submit(event, who)}>
        <h2 id="who-title">${who.waiting ? `Is it you, ${who.session.display}?` : who.session.display}</h2>
        ${who.waiting ? question() : account(who.session)}
        ${who.said ? html`<p class="failed" role="alert">${who.said}</p>` : nothing}
        <div class="buttons">
          ${who.session.method === "demo" ? nothing : html`<button type="button" class="sign-out" @click=${() => void leave()}>Sign out</button>`}
          ${!who.waiting && mayAddKey(who.session) ? html`<button type="button" class="add-key" @click=${() => void add(who)}>Add a security key</button>` : nothing}
          ${who.waiting && keysWork() ? html`<button type="button" @click=${() => void wakeByKey(who)}>Security key</button>` : nothing}
          <button type="button" @click=${close}>${who.waiting ? "Cancel" : "Close"}</button>
          ${who.waiting ? html`<button class="primary">Confirm</button>` : nothing}
        </div>
      </form>
    </dialog>`;
}

const question = (): TemplateResult => html`
  <p>Nobody has touched this desk for a while. It shows everything; to act, say once more who you are.</p>
  <label>Code, or password <input name="proof" type="password" maxlength="256" autocomplete="off" required></label>`;

function account(session: Session): TemplateResult {
  if (session.method === "demo") return html`<p>A demo: nobody has to say who he is, and the record says "${session.name}".</p>`;
  return html`<p>Signed in as ${session.name}: ${session.roles.join(", ").replaceAll("-", " ")}. This name goes on the record.</p>`;
}

const mayAddKey = (session: Session): boolean =>
  session.method !== "demo" && session.may.includes("own-credentials") && keysWork();

async function submit(event: SubmitEvent, who: Who): Promise<void> {
  event.preventDefault();
  const form = event.currentTarget as HTMLFormElement;
  const proof = (new FormData(form).get("proof") as string | null) ?? "";
  // Six digits are a code of the generator, four groups of four one from paper; anything else is a password.
  const code = /^\s*(\d{6}|\w{4}(-\w{4}){3})\s*$/.test(proof) ? proof.trim() : "";
  await wake(who, () => confirm(proof, code));
}

const wakeByKey = (who: Who): Promise<void> => wake(who, signInByKey);

async function wake(who: Who, work: () => Promise<unknown>): Promise<void> {
  try {
    await work();
    who.woken();
  } catch (error) {
    who.tell(error instanceof Error ? error.message : "It did not work.");
  }
}

async function add(who: Who): Promise<void> {
  try {
    await addKey("security key");
    who.tell("The key is registered.");
  } catch (error) {
    who.tell(error instanceof Error ? error.message : "It did not work.");
  }
}

async function leave(): Promise<void> {
  await signOut().catch(() => undefined);
  location.assign("/");
}

const close = (event: Event): void => (event.currentTarget as HTMLElement).closest("dialog")?.close();
