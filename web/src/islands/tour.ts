// The guided tour: steps are declared in the page (JSON), one box says what to look at, the rest of the page stays usable.
import { say } from "../words";

interface Step {
  path: string;
  mark: string;
  title: string;
  text: string;
}

const KEY = "haitang-tour";

function button(text: string, primary: boolean, press: () => void): HTMLButtonElement {
  const made = document.createElement("button");
  made.type = "button";
  made.className = primary ? "btn btn-primary" : "btn btn-ghost";
  made.textContent = text;
  made.addEventListener("click", press);
  return made;
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
    if (!matches(step.path)) {
      location.href = step.path.replace(/\*$/, "");
      return;
    }
    this.show(step, index);
  }

  private show(step: Step, index: number): void {
    document.querySelector(".tour-mark")?.classList.remove("tour-mark");
    const target = step.mark ? document.querySelector(step.mark) : null;
    target?.classList.add("tour-mark");
    target?.scrollIntoView({ block: "center", behavior: "auto" });
    const title = document.createElement("h2");
    title.textContent = step.title;
    const text = document.createElement("p");
    text.textContent = step.text;
    const foot = document.createElement("footer");
    const where = document.createElement("span");
    where.className = "soft";
    where.textContent = `${index + 1} / ${this.steps.length}`;
    foot.append(where, button(say("结束", "End"), false, () => this.end()));
    if (index > 0) foot.append(button(say("上一步", "Back"), false, () => this.go(index - 1)));
    foot.append(button(index + 1 < this.steps.length ? say("下一步", "Next") : say("完成", "Done"), true, () => this.go(index + 1)));
    this.box.replaceChildren(title, text, foot);
    document.body.append(this.box);
  }

  private end(): void {
    sessionStorage.removeItem(KEY);
    document.querySelector(".tour-mark")?.classList.remove("tour-mark");
    this.box.remove();
  }
}

function matches(path: string): boolean {
  return path.endsWith("*") ? location.pathname.startsWith(path.slice(0, -1)) : location.pathname === path;
}

export function mount(element: HTMLElement): void {
  const steps = JSON.parse(document.getElementById(element.dataset.steps ?? "")?.textContent ?? "[]") as Step[];
  const tour = new Tour(steps);
  document.querySelector("[data-tour-start]")?.addEventListener("click", (event) => {
    event.preventDefault();
    tour.go(0);
  });
  const under = sessionStorage.getItem(KEY);
  if (under !== null) {
    const index = Number(under);
    const step = steps[index];
    if (step && matches(step.path)) tour.go(index);
  }
}
