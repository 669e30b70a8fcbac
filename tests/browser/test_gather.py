"""A file from the upload to the lake, on the pages: preview, progress, quarantine, mending by hand and by a file, a proposal adopted and one discarded."""

import csv
import re
from importlib.resources import files
from pathlib import Path

import pytest
from playwright.sync_api import Locator, Page, expect

from haitang.base.ids import new_id
from tests.browser.conftest import SignIn, leaving
from tests.server.instances import wait_until

pytestmark = pytest.mark.usefixtures("gathering")

HAN = re.compile("[一-鿿]")
SAMPLE = files("haitang.applications.ecology.environment") / "samples" / "enterprise_permit.csv"
RUN = re.compile(r"/gather/runs/[0-9a-f-]{36}$")
SIZES = [("zh-hans", 1440), ("en", 390)]


def upload(page: Page, file: Path, resource: str = "enterprise_permit") -> None:
    """To the preview."""
    page.goto("/gather/upload")
    page.select_option("#resource", resource)
    page.set_input_files("#file", file)
    with leaving(page):
        page.click("main form[enctype] button.btn-primary")


@pytest.fixture
def permits(tmp_path: Path) -> Path:
    """The dirty sample, under a name of its own."""
    made = tmp_path / f"许可证-{new_id().hex[-6:]}.csv"
    made.write_bytes(SAMPLE.read_bytes())
    return made


def gather(page: Page, file: Path) -> str:
    """From the preview to the end of the run, without anybody loading the page anew; returns the run's address."""
    upload(page, file)
    page.click("button[formaction='/gather/upload/start']")
    page.wait_for_url(RUN)
    expect(page.locator("#how-far [hx-get], #how-far[hx-get]")).to_have_count(0)
    expect(page.locator("#how-far")).to_contain_text(re.compile(r"42\D+33\D+9\b"))
    return page.url


def held(page: Page, line: int) -> Locator:
    return page.locator(".held tbody tr").filter(has=page.locator("td:nth-child(2)", has_text=re.compile(f"^{line}$")))


def fits(page: Page) -> bool:
    return bool(page.evaluate("document.documentElement.scrollWidth <= window.innerWidth"))


@pytest.mark.parametrize(("language", "width"), SIZES)
def test_a_dirty_file_is_previewed_and_gathered(sign_in: SignIn, permits: Path, language: str, width: int) -> None:
    page = sign_in("handler", language=language, width=width, height=844)
    upload(page, permits)
    preview = page.locator(".data-table.lines")
    expect(preview.locator("td.refused")).to_have_count(4)
    assert "permit_no" not in preview.locator("thead").inner_text()
    assert bool(HAN.search(preview.locator("thead").inner_text())) is (language != "en")
    assert fits(page)
    gather(page, permits)
    expect(held(page, 12)).to_contain_text("2026-02-30")
    expect(held(page, 18)).not_to_contain_text("permit_class")
    assert fits(page)
    page.click("#how-far a[href^='/cases/']")
    expect(page.locator("h1")).to_contain_text("9")


@pytest.mark.parametrize(("language", "width"), SIZES)
def test_rows_are_mended_on_the_page_by_a_file_and_dismissed(
    sign_in: SignIn, permits: Path, tmp_path: Path, language: str, width: int
) -> None:
    page = sign_in("handler", language=language, width=width, height=844)
    run = gather(page, permits)
    with leaving(page):
        held(page, 12).locator("a").click()
    for place, title in enumerate(("许可证编号", "单位名称")):
        expect(page.locator("form .form-label").nth(place)).to_have_text(title)
    assert fits(page)
    page.get_by_label("有效期止").fill("不是日期")
    page.click("button[name=resubmit]")
    expect(page.locator("#" + str(page.get_by_label("有效期止").get_attribute("id")) + "-why")).to_contain_text("不是日期")
    page.get_by_label("有效期止").fill("2027-02-28")
    page.click("button[name=resubmit]")
    page.wait_for_url(run)
    expect(page.locator(".messages, .message").first).to_contain_text("12")

    with page.expect_download() as started:
        page.click("a[href$='rows.csv']")
    heads, *rows = csv.reader(Path(started.value.path()).read_text("utf-8-sig").splitlines())
    (row,) = [row for row in rows if row[heads.index("行")] == "18"]
    row[heads.index("管理类别")] = "登记管理"
    with (tmp_path / "改好.csv").open("w", encoding="utf-8", newline="") as corrected:
        csv.writer(corrected).writerows([heads, row])
    page.set_input_files("#corrected", tmp_path / "改好.csv")
    with leaving(page):
        page.click("form[action$='mend-file'] button")
    assert page.url == run
    for line in (12, 18):
        _until(page, held(page, line), re.compile("已入库|In the lake|Accepted|accepted"))

    for box in page.locator(".held input[name=row]").all():
        box.check()
    page.fill("input[name=reason]", "原件无法核实（示例）")
    with leaving(page):
        page.click("form[action$='dismiss'] .table-foot button")
    assert page.url == run
    expect(page.locator(".held input[name=row]")).to_have_count(0)


def _until(page: Page, row: Locator, words: re.Pattern[str]) -> None:
    """The rows of a run that has ended are not live: its person looks again."""
    for _ in range(60):
        if words.search(row.inner_text()):
            return
        page.wait_for_timeout(500)
        page.reload()
    raise AssertionError(row.inner_text())


@pytest.mark.parametrize(("language", "width"), SIZES)
def test_the_page_of_a_resource_says_everything_about_it(sign_in: SignIn, permits: Path, language: str, width: int) -> None:
    page = sign_in("handler", language=language, width=width, height=844)
    gather(page, permits)
    page.goto("/resources/enterprise_permit")
    phone = page.locator("tr", has=page.locator("code", has_text="contact")).first
    expect(phone).to_contain_text(re.compile("敏感|sensitive"))
    expect(phone).to_contain_text("97.6%")
    expect(phone.locator("a[href^='/gather/runs/']")).to_have_text(permits.name)
    sample = page.locator(".data-table.lines")
    expect(sample).to_contain_text(re.compile(r"154\*+\d{4}"))
    assert not re.search(r"154\d{8}", sample.inner_text())
    assert fits(page)
    page.goto("/resources/outfall")
    with leaving(page):
        page.locator("a[href='/derivations/outfall_river']").first.click()
    expect(page.locator("a[href='/resources/outfall']").first).to_be_visible()
    assert bool(HAN.search(page.locator("main").inner_text())) is (language != "en")
    assert fits(page)


def routes(folder: Path) -> Path:
    """A file that nobody has declared a resource for: GB18030, a ragged line, totals."""
    made = folder / "客运线路.csv"
    lines = [f"L{n:03},示例{n}线,{10 + n}.5,示例人{n},1540000{n:04},{('运营', '停运')[n % 2]}" for n in range(30)]
    made.write_bytes(
        "\r\n".join(["线路编号,线路名称,里程（公里）,联系人,联系电话,状态", *lines, "L900,坏行,缺列", "合计,,735,,,"]).encode("gb18030")
    )
    return made


@pytest.mark.parametrize(("language", "width"), SIZES)
def test_a_proposed_resource_is_gathered_and_adopted_by_another(sign_in: SignIn, tmp_path: Path, language: str, width: int) -> None:
    handler = sign_in("handler", language=language, width=width, height=844)
    address = _propose(handler, tmp_path, f"routes_{new_id().hex[-8:]}", language)
    expect(handler.locator("form[action$='/adopt']")).to_have_count(0)  # not one's own
    steward = sign_in("data_steward", language=language, width=width, height=844)
    steward.goto(address)
    assert fits(steward)
    steward.click("form[action$='/adopt'] button.btn-primary")
    expect(steward.locator("h1 .status-normal")).to_be_visible()


def test_a_proposed_resource_is_discarded_with_its_rows(sign_in: SignIn, tmp_path: Path) -> None:
    handler, id = sign_in("handler"), f"routes_{new_id().hex[-8:]}"
    address = _propose(handler, tmp_path, id, "zh-hans")
    handler.fill("#why", "重复报送")
    with leaving(handler):
        handler.click("form[action$='/discard'] button")
    _until(handler, handler.locator("h1"), re.compile("已撤去"))
    handler.goto("/gather")
    expect(handler.locator("tbody")).to_contain_text("撤去暂定资源")
    handler.goto(address)
    expect(handler.locator("form[action$='/discard']")).to_have_count(0)
    wait_until(lambda: handler.request.get(f"/resources/{id}").status == 404, 60)  # each process takes a release over by itself


def _propose(page: Page, folder: Path, id: str, language: str) -> str:
    """Upload without a resource, gather provisionally; returns the address of the provisional resource, where the page then stands."""
    upload(page, routes(folder), "")
    assert fits(page)
    doubts = page.locator(".alert-warning")
    expect(doubts.first).to_be_visible()
    expect(doubts.filter(has_text=HAN) if language == "en" else doubts.filter(has_not_text=HAN)).to_have_count(0)
    page.fill("#id", id)
    with leaving(page):
        page.click("form[action='/gather/upload'] .panel > .btn:not(.btn-primary)")
    page.click("button[formaction='/gather/infer']")
    page.wait_for_url(RUN)
    expect(page.locator("#how-far[hx-get]")).to_have_count(0)
    expect(page.locator("#how-far")).to_contain_text(re.compile(r"31\D+30\D+1\b"))
    page.goto("/gather/provisional")
    page.locator("tr", has=page.locator("code", has_text=id)).locator("a").click()
    expect(page.locator("h1 .status-notice")).to_be_visible()
    return page.url
