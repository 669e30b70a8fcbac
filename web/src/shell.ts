// What the page frame needs: theme, menu on a narrow screen, keys, forms that submit when a choice changes.

function wireTheme(): void {
  document.querySelector("[data-theme-switch]")?.addEventListener("click", (event) => {
    event.preventDefault();
    const root = document.documentElement;
    root.dataset.bsTheme = root.dataset.bsTheme === "dark" ? "light" : "dark";
    document.cookie = `theme=${root.dataset.bsTheme}; path=/; max-age=31536000; samesite=lax`;
    document.body.dispatchEvent(new CustomEvent("theme"));
  });
}

function wireMenu(): void {
  const side = document.querySelector<HTMLElement>(".side");
  const button = document.querySelector<HTMLElement>("[data-menu]");
  const open = (wanted: boolean): void => {
    side?.toggleAttribute("data-open", wanted);
    button?.setAttribute("aria-expanded", String(wanted));
  };
  button?.addEventListener("click", (event) => {
    event.preventDefault();
    open(!side?.hasAttribute("data-open"));
    if (side?.hasAttribute("data-open")) side.querySelector("a")?.focus();
  });
  document.addEventListener("keydown", (event) => {
    if (event.key !== "Escape") return;
    if (side?.hasAttribute("data-open")) {
      open(false);
      button?.focus();
    }
    for (const sheet of document.querySelectorAll("details.pick[open]")) {
      const within = sheet.contains(document.activeElement);
      sheet.removeAttribute("open");
      if (within) sheet.querySelector("summary")?.focus();
    }
  });
  document.addEventListener("click", (event) => {
    const target = event.target as Element;
    if (side?.hasAttribute("data-open") && !side.contains(target) && !target.closest("[data-menu]")) open(false);
    for (const sheet of document.querySelectorAll("details.pick[open]")) if (!sheet.contains(target)) sheet.removeAttribute("open");
  });
}

function wireKeys(): void {
  document.addEventListener("keydown", (event) => {
    if ((event.target as Element).closest("input, textarea, select")) return;
    if (event.key === "/") {
      event.preventDefault();
      document.querySelector<HTMLInputElement>(".top .search input")?.focus();
    }
  });
}

function wireForms(): void {
  document.addEventListener("change", (event) => {
    const form = (event.target as Element).closest<HTMLFormElement>("form[data-submit-on-change]");
    if (form && (event.target as Element).matches("select, input[type=checkbox], input[type=date]")) form.requestSubmit();
  });
  // Empty filters would only make the address longer.
  document.addEventListener("submit", (event) => {
    const form = event.target as HTMLFormElement;
    if (form.method !== "get") return;
    for (const field of form.querySelectorAll<HTMLInputElement | HTMLSelectElement>("input, select")) if (!field.value) field.disabled = true;
  });
  addEventListener("pageshow", () => {
    for (const field of document.querySelectorAll<HTMLInputElement>("form[method=get] :disabled")) field.disabled = false;
  });
}

// The length of time that the charts of a panel show.
function wireRanges(): void {
  document.addEventListener("click", (event) => {
    const link = (event.target as Element).closest<HTMLElement>("[data-range]");
    const chart = link?.closest(".panel")?.querySelector<HTMLElement>('[data-island="chart"]');
    if (!link || !chart) return;
    event.preventDefault();
    const address = new URL(chart.dataset.src ?? "", location.href);
    address.searchParams.set("range", link.dataset.range ?? "7d");
    chart.dataset.src = address.pathname + address.search;
    chart.dispatchEvent(new CustomEvent("range"));
  });
}

// A table wider than the screen is scrolled by keyboard too; one that fits is no stop on the way.
function wireScrolls(): void {
  const look = (): void => {
    for (const box of document.querySelectorAll<HTMLElement>(".table-scroll")) {
      if (box.scrollWidth > box.clientWidth) box.tabIndex = 0;
      else box.removeAttribute("tabindex");
    }
  };
  look();
  addEventListener("resize", look);
}

export function wireShell(): void {
  wireRanges();
  wireScrolls();
  wireTheme();
  wireMenu();
  wireKeys();
  wireForms();
}
