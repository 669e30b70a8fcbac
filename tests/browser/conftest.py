"""A district behind the real front and control, and Chromium to look at it."""

import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import psycopg
import pytest
from playwright.sync_api import Browser, Page, expect, sync_playwright

from haitang.base.ids import new_id
from haitang.base.shell.assets import MANIFEST
from tests.browser.district import PASSWORD
from tests.browser.gathering import READY
from tests.database import when_free
from tests.ports import free_port
from tests.server.instances import wait_until

ARGUMENTS = (
    "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync",
)  # fmt: skip
CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Everything here drives a browser; without one it is skipped with the reason, and under CI that is a failure."""
    lacking = (
        "no Chromium on this machine"
        if CHROMIUM is None
        else "web assets are not built (npm run build in web/)"
        if not MANIFEST.is_file()
        else ""
    )
    for item in items:
        if "tests/browser" not in str(item.path):
            continue
        item.add_marker(pytest.mark.browser)
        item.add_marker(pytest.mark.timeout(600))  # the first one prepares the district, on a machine that may be busy
        if lacking and not os.environ.get("CI"):
            item.add_marker(pytest.mark.skip(reason=lacking))


@dataclass(frozen=True)
class District:
    """A running district: its address, and the environment under which its processes run."""

    url: str
    environment: dict[str, str]


@pytest.fixture(scope="session")
def running_district() -> Iterator[District]:
    """A district whose database and data directory are its own."""
    outer = os.environ["HAITANG_DATABASE_URL"]
    name, folder, port = f"browser_{new_id().hex}", Path(tempfile.mkdtemp(prefix="haitang-browser-")), free_port()
    with psycopg.connect(outer, autocommit=True) as admin:
        admin.execute(f"create database {name}")
    environment = {
        **os.environ, "HAITANG_DATABASE_URL": outer.rpartition("/")[0] + f"/{name}", "HAITANG_DATA": str(folder), "HAITANG_HTTP": str(port),
        "HAITANG_DEMO": "true", "HAITANG_WEB_WORKERS": "1", "HAITANG_SECRET_KEY": "browser-tests-only",
    }  # fmt: skip
    (folder / "run").mkdir()
    log = (folder / "log").open("wb")
    subprocess.run([sys.executable, "-m", "tests.browser.district"], env=environment, check=True, timeout=500, stdout=log, stderr=log)
    command = [sys.executable, "-m", "haitang.server.cli", "run"]
    running = [subprocess.Popen([*command, each], env=environment, stdout=log, stderr=log) for each in ("control", "front")]
    found = District(f"http://127.0.0.1:{port}", environment)
    try:
        wait_until(lambda: _answers(found.url), 200)
        yield found
    finally:
        for process in running:
            process.terminate()
        for process in running:
            process.wait(60)
        with psycopg.connect(outer, autocommit=True) as admin:
            when_free(admin, f"drop database {name} with (force)")
        shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(scope="session")
def district(running_district: District) -> str:
    """Its address."""
    return running_district.url


@pytest.fixture(scope="module")
def gathering(running_district: District) -> Iterator[None]:
    """What gathers files and lands them in the district's lake, while a module's tests run."""
    process = subprocess.Popen([sys.executable, "-m", "tests.browser.gathering"], env=running_district.environment)
    try:
        wait_until((Path(running_district.environment["HAITANG_DATA"]) / READY).exists, 200)
        yield
    finally:
        process.terminate()
        process.wait(60)


def _answers(url: str) -> bool:
    with suppress(httpx.TransportError):
        return httpx.get(f"{url}/sign-in", trust_env=False, timeout=60).status_code == 200
    return False


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """Closed after each file: while it is open, an event loop runs in this thread and Django refuses the other tests their database."""
    with sync_playwright() as playwright:
        opened = playwright.chromium.launch(executable_path=CHROMIUM, args=list(ARGUMENTS))
        yield opened
        opened.close()


expect.set_options(timeout=60_000)  # a machine that others use too answers late, not wrongly
SignIn = Callable[..., Page]
_sessions: dict[str, list[Any]] = {}


def _enter(page: Page, role: str, sessions: dict[str, list[Any]]) -> None:
    """By the sign-in page the first time, with the same session afterwards: hashing a password is slow on purpose."""
    if role not in sessions:
        page.goto("/sign-in")
        page.locator("summary").click()  # a demonstration offers its personas first
        page.fill("#username", role)
        page.fill("#password", PASSWORD)
        page.click("form[action='/sign-in'] button[type=submit]")
        page.wait_for_url(lambda url: "/sign-in" not in url)
        sessions[role] = [cookie for cookie in page.context.cookies() if cookie["name"] in ("sessionid", "csrftoken")]
    page.context.add_cookies(sessions[role])


@contextmanager
def leaving(page: Page) -> Iterator[None]:
    """What is done inside leads to another page, or to the same one anew; afterwards that is there in whole.

    A click does not wait for what it leads to: what then reads without waiting, or goes elsewhere, may still do so on the page that is left."""
    with page.expect_navigation(timeout=60_000):
        yield


@pytest.fixture
def sign_in(browser: Browser, district: str) -> Iterator[SignIn]:
    """`sign_in("handler", width=390, language="en", theme="dark")` gives a page of that person; an error in a page's scripts fails the test.

    `alone`: a session that no other test shares, for what ends or changes it."""
    opened: list[Any] = []
    wrong: list[str] = []

    def open_as(
        role: str | None = None,
        *,
        width: int = 1440,
        height: int = 900,
        language: str = "zh-hans",
        theme: str = "light",
        alone: bool = False,
    ) -> Page:
        context = browser.new_context(base_url=district, viewport={"width": width, "height": height}, locale="zh-CN")
        context.add_cookies([{"name": n, "value": v, "url": district} for n, v in (("django_language", language), ("theme", theme))])
        opened.append(context)
        page = context.new_page()
        page.set_default_timeout(60_000)
        page.on("pageerror", lambda error: wrong.append(str(error)))
        page.on(
            "console",
            lambda message: wrong.append(message.text) if message.type == "error" and "Content Security" in message.text else None,
        )
        if role:
            _enter(page, role, {} if alone else _sessions)
        return page

    yield open_as
    for context in opened:
        context.close()
    assert not wrong
