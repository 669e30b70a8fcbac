// Keeps what a person types on this device until it has been sent: a phone on a hillside loses its network, not its note.
import { say } from "../words";

function key(name: string): string {
  return `draft:${name}`;
}

function keyOf(form: HTMLFormElement): string {
  return key(form.dataset.draft ?? form.action);
}

function fields(form: HTMLFormElement): (HTMLInputElement | HTMLTextAreaElement | HTMLSelectElement)[] {
  const all = [...form.querySelectorAll<HTMLInputElement | HTMLTextAreaElement | HTMLSelectElement>("input, textarea, select")];
  return all.filter((field) => field.name && !["hidden", "file", "password"].includes(field.type));
}

function restore(form: HTMLFormElement): void {
  const kept = JSON.parse(localStorage.getItem(keyOf(form)) ?? "null") as Record<string, string> | null;
  if (!kept) return;
  let any = false;
  for (const field of fields(form)) {
    const value = kept[field.name];
    if (value === undefined || field.value) continue;
    field.value = value;
    any = true;
  }
  if (any) note(form, say("已恢复您上次没有提交的内容。", "What you typed before has been restored."));
}

function note(form: HTMLFormElement, text: string): void {
  let box = form.querySelector<HTMLElement>(".offline");
  if (!box) {
    box = document.createElement("p");
    box.className = "offline";
    box.setAttribute("role", "status");
    form.append(box);
  }
  box.textContent = text;
}

function keep(form: HTMLFormElement): void {
  localStorage.setItem(keyOf(form), JSON.stringify(Object.fromEntries(fields(form).map((field) => [field.name, field.value]))));
}

/** Whether somebody typed before this program came: on a slow network the page is there long before it. */
function typed(form: HTMLFormElement): boolean {
  return fields(form).some((field) => !(field instanceof HTMLSelectElement) && field.type !== "checkbox" && field.value !== field.defaultValue);
}

/** A form whose words are kept, or the message that they have arrived: then nothing of them stays on this device. */
export function mount(element: HTMLElement): void {
  for (const { dataset } of document.querySelectorAll<HTMLElement>("[data-draft-sent]")) localStorage.removeItem(key(dataset.draftSent ?? ""));
  if (!(element instanceof HTMLFormElement)) return;
  const form = element;
  const before = typed(form);
  restore(form);
  if (before) keep(form);
  form.addEventListener("input", () => keep(form));
  form.addEventListener("submit", (event) => {
    if (navigator.onLine) return;
    event.preventDefault();
    note(form, say("现在没有网络。内容已保存在本机，有网络后请再按一次提交。", "No network now. What you typed is kept on this device; press again once you are connected."));
  });
  addEventListener("online", () => form.querySelector(".offline") && note(form, say("网络已恢复，可以提交。", "You are connected again and may submit.")));
}
