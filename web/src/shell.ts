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
  document.querySelector("[data-menu]")?.addEventListener("click", (event) => {
    event.preventDefault();
    side?.toggleAttribute("data-open");
  });
  document.addEventListener("click", (event) => {
    const target = event.target as Element;
    if (side?.hasAttribute("data-open") && !side.contains(target) && !target.closest("[data-menu]")) side.removeAttribute("data-open");
    for (const open of document.querySelectorAll("details.pick[open]")) if (!open.contains(target)) open.removeAttribute("open");
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

export function wireShell(): void {
  wireRanges();
  wireTheme();
  wireMenu();
  wireKeys();
  wireForms();
}
