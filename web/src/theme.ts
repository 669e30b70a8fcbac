// Runs before the first paint, so that nothing flashes: the theme chosen on this machine, else what the system prefers.
const chosen = /(?:^|; )theme=(light|dark)/.exec(document.cookie)?.[1];
if (!document.documentElement.dataset.fixedTheme) {
  document.documentElement.dataset.bsTheme = chosen ?? (matchMedia("(prefers-color-scheme: dark)").matches ? "dark" : "light");
}
export {};
