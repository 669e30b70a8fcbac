// Relative times grow older while a page stays open.
import { ago, at } from "./words";

function tell(): void {
  for (const element of document.querySelectorAll<HTMLTimeElement>("time[data-relative]")) element.textContent = ago(element.dateTime);
  for (const element of document.querySelectorAll<HTMLTimeElement>("time[data-clock]")) element.textContent = at(Date.now());
}

export function tellTimes(): void {
  tell();
  setInterval(tell, 30_000);
  document.addEventListener("htmx:load", tell);
}
