// An island is an element that needs a program: <div data-island="map" ...>. Heavy ones load when they are seen.
type Island = { mount(element: HTMLElement): void };

const heavy: Record<string, () => Promise<Island>> = {
  map: () => import("./islands/map"),
  chart: () => import("./islands/chart"),
  pick: () => import("./islands/pick"),
};
const light: Record<string, () => Promise<Island>> = {
  draft: () => import("./islands/draft"),
  passkey: () => import("./islands/passkey"),
  tour: () => import("./islands/tour"),
};

async function mount(element: HTMLElement, load: () => Promise<Island>): Promise<void> {
  if (element.dataset.mounted) return;
  element.dataset.mounted = "yes";
  (await load()).mount(element);
}

const seen = new IntersectionObserver(
  (entries) => {
    for (const { isIntersecting, target } of entries) {
      const element = target as HTMLElement;
      const load = heavy[element.dataset.island ?? ""];
      if (!isIntersecting || !load) continue;
      seen.unobserve(element);
      void mount(element, load);
    }
  },
  { rootMargin: "200px" },
);

export function mountAll(root: HTMLElement): void {
  const found = [...root.querySelectorAll<HTMLElement>("[data-island]")];
  if (root.dataset.island) found.push(root);
  for (const element of found) {
    const name = element.dataset.island ?? "";
    const load = light[name];
    if (load) void mount(element, load);
    else if (name in heavy) seen.observe(element);
  }
}
