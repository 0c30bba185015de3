// Who is signed in, and the questions of the door to the station. Every answer says in `code` what to do.

export interface Session {
  name: string;
  display: string;
  kind: "person" | "program" | "officer";
  roles: string[];
  method: string;
  /** False: the desk rests. It shows the picture; to act one says once more who one is. */
  fresh: boolean;
  second_factor: boolean;
  may: string[];
  unit?: string;
}

/** What went wrong: `code` sign-in, confirm, wait, wrong, not-permitted, or none if the station did not answer. */
export class Refusal extends Error {
  constructor(readonly status: number, readonly code: string, words: string) {
    super(words);
  }
}

export interface SetUp {
  name: string;
  uri: string;
  picture: string | null;
}

const TIMEOUT_MS = 10_000;

async function ask<T>(method: string, path: string, body?: object): Promise<T> {
  const sent = body === undefined ? {} : { body: JSON.stringify(body), headers: { "content-type": "application/json" } };
  let response: Response;
  try {
    response = await fetch(`/api/v1/${path}`, { method, ...sent, signal: AbortSignal.timeout(TIMEOUT_MS) });
  } catch {
    throw new Refusal(0, "", "The station does not answer.");
  }
  const answer = (await response.json().catch(() => ({}))) as T & { detail?: string; code?: string };
  if (response.ok) return answer;
  throw new Refusal(response.status, answer.code ?? "", answer.detail ?? `The station answered ${response.status}.`);
}

export const whoAmI = (): Promise<Session> => ask("GET", "session");
export const signIn = (name: string, password: string, code: string): Promise<Session> =>
  ask("POST", "session", { name, password, code });
export const signOut = (): Promise<unknown> => ask("DELETE", "session");
export const here = (): Promise<unknown> => ask("POST", "session/here", {});
export const confirm = (password: string, code: string): Promise<Session> =>
  ask("POST", "session/confirm", code ? { code } : { password });
export const first = (link: string, name: string): Promise<{ link: string }> => ask("POST", "first", { link, name });
export const setUp = (link: string): Promise<SetUp> => ask("POST", "set-up", { link });
export const finish = (link: string, password: string, code: string): Promise<{ codes: string[] }> =>
  ask("POST", "set-up/finish", { link, password, code });
export const phone = (link: string): Promise<Session> => ask("POST", "phone", { link });

/** A security key belongs to a named host: an address has none (WebAuthn, 5.1.3). */
export const keysWork = (): boolean =>
  "PublicKeyCredential" in window && !/^[\d.]+$|^\[/.test(location.hostname);

/** Sign in, or wake a desk that rests, by a security key. */
export async function signInByKey(): Promise<Session> {
  const asked = await ask<{ challenge: string; rpId: string; timeout: number }>("POST", "session/key-question", {});
  const found = (await navigator.credentials.get({
    publicKey: { challenge: bytes(asked.challenge), rpId: asked.rpId, timeout: asked.timeout, userVerification: "required" },
  })) as PublicKeyCredential;
  const said = found.response as AuthenticatorAssertionResponse;
  return ask("POST", "session/key", {
    key_id: text(found.rawId), client_data: text(said.clientDataJSON),
    authenticator_data: text(said.authenticatorData), signature: text(said.signature),
  });
}

interface NewKey {
  challenge: string;
  rp: PublicKeyCredentialRpEntity;
  user: { id: string; name: string; displayName: string };
  pubKeyCredParams: PublicKeyCredentialParameters[];
  excludeCredentials: { type: "public-key"; id: string }[];
  authenticatorSelection: AuthenticatorSelectionCriteria;
  timeout: number;
}

/** Register a security key for whoever is signed in. */
export async function addKey(label: string): Promise<unknown> {
  const asked = await ask<NewKey>("POST", "keys/question", {});
  const made = (await navigator.credentials.create({
    publicKey: {
      ...asked, challenge: bytes(asked.challenge), user: { ...asked.user, id: bytes(asked.user.id) },
      excludeCredentials: asked.excludeCredentials.map((known) => ({ ...known, id: bytes(known.id) })),
    },
  })) as PublicKeyCredential;
  const said = made.response as AuthenticatorAttestationResponse;
  return ask("POST", "keys", { label, client_data: text(said.clientDataJSON), attestation_object: text(said.attestationObject) });
}

/** base64url, as the station writes bytes. */
function bytes(encoded: string): Uint8Array<ArrayBuffer> {
  const plain = atob(encoded.replaceAll("-", "+").replaceAll("_", "/"));
  return Uint8Array.from(plain, (char) => char.charCodeAt(0));
}

function text(buffer: ArrayBuffer): string {
  const plain = String.fromCharCode(...new Uint8Array(buffer));
  return btoa(plain).replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "");
}
