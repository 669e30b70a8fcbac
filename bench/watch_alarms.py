"""The browser of `alarm-latency`: a person signed in on the cockpit, in a process of its own.

python -m bench.watch_alarms URL USERNAME PASSWORD

Says `ready` when the live connection stands; at the next line of its input tells, as JSON, when each device's alarm was first told to the page (`told`) and first
stood on it (`shown`): Unix seconds by device title.
"""

import json
import shutil
import sys

from playwright.sync_api import expect, sync_playwright

ARGUMENTS = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
WATCH = """() => {
  window.seen = { shown: {}, told: {} };
  const look = () => {
    for (const found of document.body.innerText.matchAll(/测量设备 \\d+/g)) window.seen.shown[found[0]] ??= Date.now() / 1000;
  };
  look();
  window.before = Object.keys(window.seen.shown);
  new MutationObserver(look).observe(document.body, { childList: true, subtree: true, characterData: true });
  document.body.addEventListener("live:alarm", (event) => {
    const thing = event.detail?.thing?.replace("bench_thing_", "测量设备 ");
    if (thing) window.seen.told[thing] ??= Date.now() / 1000;
  });
}"""


def main(url: str, username: str, password: str) -> None:
    chromium = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=list(ARGUMENTS))
        page = browser.new_context(base_url=url, viewport={"width": 1440, "height": 900}, locale="zh-CN").new_page()
        page.set_default_timeout(120_000)
        page.goto("/sign-in")
        page.fill("#username", username)
        page.fill("#password", password)
        page.click("form[action='/sign-in'] button[type=submit]")
        page.wait_for_url(lambda address: "/sign-in" not in address)
        page.goto("/")
        expect(page.locator(".live-state").first).to_have_attribute("data-state", "open", timeout=120_000)
        page.evaluate(WATCH)
        print("ready", flush=True)
        sys.stdin.readline()
        print(json.dumps(page.evaluate("window.seen"), ensure_ascii=False), flush=True)
        browser.close()


if __name__ == "__main__":
    main(*sys.argv[1:])
