"""In a browser, with real peers: passkeys by Chromium's virtual authenticator, another department's system that signs in by us, ended sessions."""

import json
import re
import threading
from typing import Any

import httpx
import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import SignIn
from tests.browser.district import PASSWORD
from tests.peers import needs_peers, peer
from tests.ports import free_port


def by_password(page: Page, at: str, who: str) -> None:
    page.goto(f"{at}/sign-in")
    page.locator("summary").click()
    page.fill("#username", who)
    page.fill("#password", PASSWORD)
    page.click("form[action='/sign-in'] button[type=submit]")
    page.wait_for_url(lambda url: not url.endswith("/sign-in"))


def virtual_authenticator(page: Page) -> None:
    cdp = page.context.new_cdp_session(page)
    cdp.send("WebAuthn.enable")
    options = {
        "protocol": "ctap2", "transport": "internal", "hasResidentKey": True, "hasUserVerification": True, "isUserVerified": True,
        "automaticPresenceSimulation": True,
    }  # fmt: skip
    cdp.send("WebAuthn.addVirtualAuthenticator", {"options": options})


def sign_out(page: Page, at: str) -> None:
    page.evaluate(
        """async (at) => { const token = /csrftoken=([^;]+)/.exec(document.cookie)[1];
        await fetch(at + '/sign-out', {method: 'POST', headers: {'X-CSRFToken': token}}); }""",
        at,
    )


def test_a_passkey_is_registered_used_as_second_factor_and_alone(sign_in: SignIn, district: str) -> None:
    at = district.replace("127.0.0.1", "localhost")  # browsers know passkeys for names only
    page = sign_in()
    by_password(page, at, "duty_officer")
    virtual_authenticator(page)
    page.goto(f"{at}/account/factors")
    page.fill("#passkey-title", "办公电脑")
    page.click("button:has-text('登记通行密钥')")
    codes = page.locator(".recovery-codes")
    codes.wait_for()
    assert len(codes.inner_text().split()) == 10
    page.goto(f"{at}/account/factors")
    expect(page.locator("text=办公电脑")).to_have_count(1)

    sign_out(page, at)
    by_password(page, at, "duty_officer")
    assert "/sign-in/factor" in page.url
    page.click("button:has-text('使用通行密钥')")
    page.wait_for_url(lambda url: "/sign-in" not in url)

    sign_out(page, at)
    page.goto(f"{at}/sign-in")
    page.locator("summary").click()
    page.click("button:has-text('使用通行密钥登录')")
    page.wait_for_url(lambda url: "/sign-in" not in url)
    told = page.evaluate("async () => (await fetch('/api/session')).json()")
    assert told["username"] == "duty_officer"
    page.goto(f"{at}/account/factors")
    page.click("button:has-text('移除')")
    page.wait_for_selector("text=还没有登记通行密钥")


@pytest.mark.peers
def test_another_departments_system_signs_in_by_us(sign_in: SignIn, district: str) -> None:
    needs_peers()
    port = free_port()
    officer = sign_in("security_administrator", alone=True)
    officer.goto("/client-systems")
    officer.fill("#title", "水务巡查系统（试验）")
    officer.fill("#redirect_uris", f"http://127.0.0.1:{port}/callback")
    officer.check("input[value=profile]")
    officer.locator("form[action='/client-systems'] button").click()
    shown = officer.locator(".summary-wrong").inner_text()
    id, secret = re.findall(r"client_(?:id|secret) (\S+)", shown)
    with peer("client.mjs", str(port), district, id, secret):
        page = sign_in()
        page.goto(f"http://127.0.0.1:{port}/")
        page.wait_for_url("**/sign-in?next=**")
        page.locator("summary").click()
        page.fill("#username", "handler")
        page.fill("#password", PASSWORD)
        page.click("form[action='/sign-in'] button[type=submit]")
        page.wait_for_selector("text=同意并登录")
        expect(page.locator("main")).to_contain_text("姓名和用户名")
        expect(page.locator("main")).not_to_contain_text("所在机构和工号")  # asked for, but not registered
        page.click("text=同意并登录")
        page.wait_for_url("**/callback?**")
        told: dict[str, Any] = json.loads(page.inner_text("body"))
        assert told["userinfo"]["preferred_username"] == "handler"
        assert "staff_number" not in told["userinfo"]
        assert told["claims"]["sub"] == told["userinfo"]["sub"] != "handler"
        assert told["claims"]["iss"] == district

        page.goto(f"http://127.0.0.1:{port}/")  # agreed once: no question any more
        page.wait_for_url("**/callback?**")
        assert json.loads(page.inner_text("body"))["claims"]["sub"] == told["claims"]["sub"]
        page.goto(f"{district}/account")
        sign_out(page, district)
        page.goto(f"http://127.0.0.1:{port}/again")
        assert json.loads(page.inner_text("body")) == {"refused": 401}


def test_an_ended_session_loses_its_open_stream(district: str) -> None:
    with (
        httpx.Client(base_url=district, trust_env=False, timeout=60) as here,
        httpx.Client(base_url=district, trust_env=False, timeout=60) as there,
    ):
        for each in (here, there):
            each.headers["X-CSRFToken"] = each.post("/api/session", json={"username": "verifier", "password": PASSWORD}).json()["csrf"]
        ended = threading.Event()

        def listen() -> None:
            with there.stream("GET", "/live") as stream:
                for _ in stream.iter_lines():
                    opened.set()
            ended.set()

        opened = threading.Event()
        threading.Thread(target=listen, daemon=True).start()
        assert opened.wait(60)
        assert here.post("/account/sessions/end").status_code == 302
        assert ended.wait(60)
        assert there.get("/api/session").status_code == 401
