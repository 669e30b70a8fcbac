// Passkeys: the browser's own dialogue between a button and our addresses. Options and answers are JSON with bytes in base64url (WebAuthn Level 2).
import { say } from "../words";

function bytes(text: string): ArrayBuffer {
  const plain = atob(text.replace(/-/g, "+").replace(/_/g, "/"));
  return Uint8Array.from(plain, (c) => c.charCodeAt(0)).buffer;
}

function text(found: ArrayBuffer | null): string | undefined {
  if (!found) return undefined;
  const plain = String.fromCharCode(...new Uint8Array(found));
  return btoa(plain).replace(/\+/g, "-").replace(/\//g, "_").replace(/=+$/, "");
}

type Described = { id: string; type: "public-key"; transports?: AuthenticatorTransport[] };
const described = (each: Described): PublicKeyCredentialDescriptor => ({ ...each, id: bytes(each.id) });

async function make(options: any): Promise<PublicKeyCredential | null> {
  const publicKey = {
    ...options,
    challenge: bytes(options.challenge),
    user: { ...options.user, id: bytes(options.user.id) },
    excludeCredentials: (options.excludeCredentials ?? []).map(described),
  };
  return (await navigator.credentials.create({ publicKey })) as PublicKeyCredential | null;
}

async function get(options: any): Promise<PublicKeyCredential | null> {
  const publicKey = { ...options, challenge: bytes(options.challenge), allowCredentials: (options.allowCredentials ?? []).map(described) };
  return (await navigator.credentials.get({ publicKey })) as PublicKeyCredential | null;
}

function told(found: PublicKeyCredential, title: string): object {
  const r = found.response as AuthenticatorAttestationResponse & AuthenticatorAssertionResponse;
  return {
    id: found.id,
    rawId: text(found.rawId),
    type: found.type,
    title,
    clientExtensionResults: found.getClientExtensionResults(),
    response: {
      clientDataJSON: text(r.clientDataJSON),
      attestationObject: text(r.attestationObject ?? null),
      transports: r.getTransports?.(),
      authenticatorData: text(r.authenticatorData ?? null),
      signature: text(r.signature ?? null),
      userHandle: text(r.userHandle ?? null),
    },
  };
}

async function post(address: string, body: object): Promise<any> {
  const token = /(?:^|; )csrftoken=([^;]+)/.exec(document.cookie)?.[1] ?? "";
  const answer = await fetch(address, {
    method: "POST",
    headers: { "Content-Type": "application/json", "X-CSRFToken": token },
    body: JSON.stringify(body),
  });
  const found = await answer.json().catch(() => ({}));
  if (!answer.ok) throw new Error(found.message ?? `${answer.status}`);
  return found;
}

function why(error: unknown): string {
  if (error instanceof DOMException) return say("没有完成：已取消、超时，或设备上没有可用的通行密钥。", "Not completed: cancelled, timed out, or no usable passkey on this device.");
  return error instanceof Error ? error.message : String(error);
}

// What a registration hands over once; kept on the page until its reader goes on.
function showCodes(element: HTMLElement, codes: string[], next: string): void {
  const list = document.createElement("pre");
  list.className = "recovery-codes";
  list.textContent = codes.join("\n");
  const on = document.createElement("a");
  on.className = "btn btn-primary";
  on.href = next;
  on.textContent = say("我已保存，继续", "I have kept them, go on");
  const say1 = document.createElement("p");
  say1.textContent = say("恢复码只显示这一次，每个只能用一次。请打印或抄写后妥善保存。", "Recovery codes are shown only now, and each works once. Print them or write them down.");
  element.replaceChildren(say1, list, on);
}

// The proof is in the session now; the form goes without a code.
function sendWhatWaits(element: HTMLElement): void {
  const form = element.closest("form");
  if (!form) return;
  const mark = document.createElement("input");
  Object.assign(mark, { type: "hidden", name: "passkey", value: "1" });
  form.append(mark);
  form.submit();
}

async function run(element: HTMLElement, field: HTMLInputElement | null): Promise<void> {
  const { does, options = "", answer = "" } = element.dataset;
  const asked = await post(options, {});
  const found = does === "register" ? await make(asked) : await get(asked);
  if (!found) throw new DOMException();
  const done = await post(answer, told(found, field?.value ?? ""));
  if (done.codes?.length) return showCodes(element, done.codes, done.next);
  if (does === "prove") return sendWhatWaits(element);
  location.assign(done.next ?? "/");
}

export function mount(element: HTMLElement): void {
  const button = element.querySelector("button");
  const problem = element.querySelector<HTMLElement>("[role=alert]");
  if (!button || !problem || !window.PublicKeyCredential) {
    element.hidden = true;
    return;
  }
  element.hidden = false;
  button.addEventListener("click", () => {
    button.disabled = true;
    problem.hidden = true;
    run(element, element.querySelector("input"))
      .catch((error: unknown) => {
        problem.textContent = why(error);
        problem.hidden = false;
      })
      .finally(() => (button.disabled = false));
  });
}
