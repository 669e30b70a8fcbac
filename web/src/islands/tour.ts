// The guided tour: steps are declared in the page (JSON), one box says what to look at, the rest of the page stays usable.
// It outlives pages and a change of persona; left with the cross, it can be taken up again where it was.
import { say } from "../words";

interface Step {
  path: string;
  mark: string;
  title: string;
  text: string;
  persona?: string;
  from?: string;
  follow?: string;
}

const KEY = "haitang-tour";
const LEFT = "haitang-tour-left";
const ASKED = "#tour"; // where the link leads that starts the tour: followed before this program came, it is still told

function button(text: string, primary: boolean, press: () => void): HTMLButtonElement {
  const made = document.createElement("button");
  made.type = "button";
  made.className = primary ? "btn btn-primary" : "btn btn-ghost";
  made.textContent = text;
  made.addEventListener("click", press);
  return made;
}

/** The role that the reader plays now, by the pressed button of the persona bar. */
function persona(): string {
  const pressed = document.querySelector<HTMLButtonElement>('form[action^="/personas/"] [aria-pressed="true"]');
  return pressed?.form?.getAttribute("action")?.replace("/personas/", "") ?? "";
}

/** Become the persona of a step and arrive at its page; false where the page offers no such persona. */
function become(role: string, next: string): boolean {
  const form = document.querySelector<HTMLFormElement>(`form[action="/personas/${CSS.escape(role)}"]`);
  const target = form?.querySelector<HTMLInputElement>('[name="next"]');
  if (!form || !target) return false;
  target.value = next;
  form.submit();
  return true;
}

class Tour {
  private readonly box = document.createElement("section");

  constructor(private readonly steps: Step[]) {
    this.box.className = "tour";
    this.box.setAttribute("role", "region");
    this.box.setAttribute("aria-label", say("导览", "Guided tour"));
    this.box.setAttribute("aria-live", "polite");
  }

  go(index: number): void {
    const step = this.steps[index];
    if (!step) return this.end();
    sessionStorage.setItem(KEY, String(index));
    const start = step.from ?? step.path.replace(/\*$/, "");
    if (step.persona && step.persona !== persona() && become(step.persona, start)) return;
    if (step.follow && this.arrived(step) && !matches(step.path)) return this.follow(step, index);
    if (!matches(step.path)) {
      location.href = start;
      return;
    }
    this.show(step, index);
  }

  private arrived(step: Step): boolean {
    return step.from !== undefined && location.pathname + location.search === step.from;
  }

  /** Take the first link that leads to the page of the step; without one the step is told here. */
  private follow(step: Step, index: number): void {
    const link = document.querySelector<HTMLAnchorElement>(step.follow ?? "");
    if (link) location.href = link.href;
    else this.show(step, index);
  }

  private show(step: Step, index: number): void {
    document.querySelector(".tour-mark")?.classList.remove("tour-mark");
    const target = document.querySelector(step.mark) ?? document.querySelector("main");
    target?.classList.add("tour-mark");
    target?.scrollIntoView({ block: target.clientHeight > innerHeight / 2 ? "start" : "center", behavior: "auto" });
    const title = document.createElement("h2");
    title.textContent = step.title;
    const text = document.createElement("p");
    text.textContent = step.text;
    const foot = document.createElement("footer");
    const where = document.createElement("span");
    where.className = "soft";
    where.textContent = `${index + 1} / ${this.steps.length}`;
    foot.append(where, button(say("先离开", "Leave"), false, () => this.leave(index)));
    if (index > 0) foot.append(button(say("上一步", "Back"), false, () => this.go(index - 1)));
    foot.append(button(index + 1 < this.steps.length ? say("下一步", "Next") : say("完成", "Done"), true, () => this.go(index + 1)));
    this.box.replaceChildren(title, text, ...this.without(step), foot);
    document.body.append(this.box);
  }

  /** Said where the step's page has nothing to lead to: its case may have been handled already. */
  private without(step: Step): HTMLElement[] {
    if (!step.follow || matches(step.path)) return [];
    const said = document.createElement("p");
    said.className = "soft";
    said.textContent = say("这个环节现在没有案件，看看列表，再到下一步。", "No case is at this stage now; look at the list and go on to the next step.");
    return [said];
  }

  private leave(index: number): void {
    localStorage.setItem(LEFT, String(index));
    this.close();
    offer();
  }

  private end(): void {
    localStorage.removeItem(LEFT);
    this.close();
    offer();
  }

  private close(): void {
    sessionStorage.removeItem(KEY);
    document.querySelector(".tour-mark")?.classList.remove("tour-mark");
    this.box.remove();
  }
}

function matches(path: string): boolean {
  if (!path.endsWith("*")) return location.pathname === path;
  return location.pathname.startsWith(path.slice(0, -1)) && location.pathname.length >= path.length;
}

/** The link that starts the tour says whether it goes on or begins. */
function offer(): void {
  const link = document.querySelector<HTMLElement>("[data-tour-start]");
  if (!link) return;
  link.dataset.begin ??= link.textContent ?? "";
  link.textContent = localStorage.getItem(LEFT) === null ? link.dataset.begin : say("继续导览", "Go on with the tour");
}

export function mount(element: HTMLElement): void {
  const steps = JSON.parse(document.getElementById(element.dataset.steps ?? "")?.textContent ?? "[]") as Step[];
  const tour = new Tour(steps);
  const start = () => tour.go(Number(localStorage.getItem(LEFT) ?? 0));
  offer();
  document.querySelector("[data-tour-start]")?.addEventListener("click", (event) => {
    event.preventDefault();
    start();
  });
  if (location.hash === ASKED) {
    history.replaceState(null, "", location.pathname + location.search);
    start();
    return;
  }
  const under = sessionStorage.getItem(KEY);
  if (under === null) return;
  const step = steps[Number(under)];
  const here = step && (matches(step.path) || (step.from ?? "") === location.pathname + location.search);
  if (here && (!step.persona || !persona() || step.persona === persona())) tour.go(Number(under));
}
