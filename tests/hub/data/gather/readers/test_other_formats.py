"""Excel, JSON, Parquet and zip: tables as people and systems make them."""

import contextlib
import io
import json
import zipfile
from datetime import date, datetime, time
from decimal import Decimal
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import xlsxwriter
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from haitang.base.errors import HaitangError
from haitang.hub.data.gather import faults
from haitang.hub.data.gather.readers import parquet, preview, records
from haitang.hub.data.gather.readers.archive import choose
from haitang.hub.data.gather.readers.cells import text_of
from haitang.hub.data.gather.readers.types import Layout
from tests.hub.data.gather.readers.read_all import read_all


def test_a_sheet_with_title_merged_headings_and_totals(tmp_path: Path) -> None:
    book = xlsxwriter.Workbook(tmp_path / "a.xlsx")
    sheet = book.add_worksheet("排放")
    sheet.merge_range("A1:D1", "大足区企业排放情况")
    sheet.merge_range("A2:A3", "乡镇")
    sheet.merge_range("B2:B3", "企业")
    sheet.merge_range("C2:D2", "污染物")
    sheet.write_row("C3", ["二氧化硫", "氮氧化物"])
    sheet.merge_range("A4:A5", "龙水镇")
    sheet.write_row("B4", ["甲厂", 1.5, 2])
    sheet.write_row("B5", ["乙厂", 0.1 + 0.2, 500111001])
    sheet.write_row("A7", ["合计", None, 1.8, 500111003])
    sheet.write("A8", "注：数据为示例")
    hidden = book.add_worksheet("底稿")
    hidden.write_column("A1", ["x", "y", "z"])
    hidden.hide()
    book.add_worksheet("附表").write_row("A1", ["另一张表"])
    book.close()
    read = read_all(tmp_path / "a.xlsx")
    assert read.names == ["乡镇", "企业", "污染物_二氧化硫", "污染物_氮氧化物"]
    assert read.rows == [["龙水镇", "甲厂", "1.5", "2"], ["龙水镇", "乙厂", "0.3", "500111001"]]
    assert read.lines == [4, 5]
    assert read.left_out == {"title": 1, "header": 2, "hidden_sheet": 3, "other_sheet": 1, "blank": 1, "totals": 1, "note": 1}
    assert read_all(tmp_path / "a.xlsx", Layout(sheet="附表", header=0)).rows == [["另一张表"]]


def test_a_number_that_excel_has_spoiled_is_not_passed_on(tmp_path: Path) -> None:
    book = xlsxwriter.Workbook(tmp_path / "a.xlsx")
    sheet = book.add_worksheet()
    sheet.write_row("A1", ["姓名", "身份证号码"])
    sheet.write_row("A2", ["甲", "11010519491231002X"])
    sheet.write_row("A3", ["乙", 440524188001010014])
    book.close()
    read = read_all(tmp_path / "a.xlsx")
    assert read.rows == [["甲", "11010519491231002X"]]
    assert read.reasons == [(3, faults.IMPRECISE)]


@pytest.mark.parametrize(
    ("value", "text"),
    [(3.0, "3"), (0.1 + 0.2, "0.3"), (-0.0, "0"), (1e15, "1000000000000000"), (1.5e-7, "0.00000015"), (True, "TRUE"), (date(2026, 1, 2), "2026-01-02"),
     (datetime.fromisoformat("2026-01-02"), "2026-01-02"), (datetime.fromisoformat("2026-01-02 03:04:05"), "2026-01-02 03:04:05"), (time(8, 30), "08:30:00"), (None, "")],
)  # fmt: skip
def test_a_cell_is_what_a_person_sees(value: object, text: str) -> None:
    assert text_of(value) == text


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None, max_examples=30)
@given(st.lists(st.lists(st.text(st.sampled_from("abc12 大足,\"'é"), min_size=1, max_size=6), min_size=2, max_size=2), max_size=8))
def test_a_workbook_reads_back(tmp_path: Path, table: list[list[str]]) -> None:
    book = xlsxwriter.Workbook(tmp_path / "t.xlsx", {"strings_to_formulas": False, "strings_to_urls": False})
    sheet = book.add_worksheet()
    for n, row in enumerate([["名称", "备注"], *table]):
        for column, cell in enumerate(row):
            sheet.write_string(n, column, cell)
    book.close()
    assert read_all(tmp_path / "t.xlsx").rows == [row for row in table if any(cell.strip() for cell in row)]


@pytest.mark.parametrize("content", [b"PK\x03\x04", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\0" * 600, b"%PDF-1.7", b"PAR1PAR1"])
def test_a_damaged_file_says_so(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "a.xlsx").write_bytes(content)
    with pytest.raises(HaitangError):
        read_all(tmp_path / "a.xlsx")


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(st.integers(0, 6000), st.binary(min_size=1, max_size=4))
def test_a_workbook_with_flipped_bytes_gives_rows_or_an_error(tmp_path: Path, at: int, bytes_: bytes) -> None:
    out = io.BytesIO()
    book = xlsxwriter.Workbook(out)
    book.add_worksheet().write_row("A1", ["a", "b"])
    book.close()
    content = bytearray(out.getvalue())
    at %= len(content) - 4
    content[at : at + len(bytes_)] = bytes_
    (tmp_path / "a.xlsx").write_bytes(content)
    with contextlib.suppress(HaitangError):
        read_all(tmp_path / "a.xlsx")


SHAPES = {
    "array": lambda rows: json.dumps(rows, ensure_ascii=False, indent=1),
    "lines": lambda rows: "\n".join(json.dumps(row, ensure_ascii=False) for row in rows),
    "within": lambda rows: json.dumps({"code": 0, "data": {"total": len(rows), "rows": rows}}, ensure_ascii=False),
}


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gb18030"])
def test_json_of_any_shape(tmp_path: Path, shape: str, encoding: str) -> None:
    rows = [{"名称": "龙水镇", "值": 1.50, "有": True, "位": {"经": 105.7, "纬": None}, "标": ["a", 1]}, {"名称": "宝顶镇"}]
    (tmp_path / "a.json").write_text(SHAPES[shape](rows), encoding)
    read = read_all(tmp_path / "a.json")
    assert read.names == ["名称", "值", "有", "位.经", "位.纬", "标"]
    assert read.rows[0] == ["龙水镇", "1.5", "true", "105.7", None, '["a", "1"]']
    assert read.rows[1] == ["宝顶镇", None, None, None, None, None]
    assert read_all(tmp_path / "a.json", Layout(records="data.rows" if shape == "within" else None)).rows == read.rows


def test_a_line_that_is_no_json_is_broken_and_the_next_is_read(tmp_path: Path) -> None:
    (tmp_path / "a.jsonl").write_text('{"a": 1}\n{"a": \n[1]\n{"a": 2, "b": 3}\n{"a": 4}\n')
    read = read_all(tmp_path / "a.jsonl", Layout(columns=["a"]))
    assert read.rows == [["1"], ["4"]]
    assert read.reasons == [(2, faults.NOT_RECORD), (3, faults.NOT_RECORD), (4, faults.NEW_KEY)]


def test_json_that_breaks_off_says_where(tmp_path: Path) -> None:
    (tmp_path / "a.json").write_text('[\n{"a": 1},\n{"a": 2')
    with pytest.raises(HaitangError) as failure:
        read_all(tmp_path / "a.json")
    assert failure.value.data["line"] == 3


def test_the_record_that_describes_the_fields_is_a_heading(tmp_path: Path) -> None:
    (tmp_path / "a.json").write_text('[{"a": "字段中文名：时间"}, {"a": "1"}]', "utf-8")
    read = read_all(tmp_path / "a.json")
    assert (read.rows, read.left_out) == ([["1"]], {"header": 1})


def test_groups_of_records_keep_their_key(tmp_path: Path) -> None:
    (tmp_path / "a.json").write_text('{"北京": [{"名": "a"}], "重庆": [{"名": "b"}, {"名": "c"}]}', "utf-8")
    assert read_all(tmp_path / "a.json").rows == [["北京", "a"], ["重庆", "b"], ["重庆", "c"]]


def test_json_goes_on_where_it_stopped(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(records, "_CHUNK", 10)
    (tmp_path / "a.json").write_text(json.dumps([{"n": n, "text": "x" * 30_000} for n in range(45)]))
    whole = read_all(tmp_path / "a.json")
    assert [chunk.columns.num_rows for chunk in whole.chunks] == [10, 10, 10, 10, 5]
    assert read_all(tmp_path / "a.json", start=whole.chunks[1].position).rows == whole.rows[20:]


def test_parquet_as_text(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(parquet, "ROWS", 2)
    table = pa.table(
        {
            "名": ["a", None, "c", "d", "e"],
            "日": [date(2026, 1, 2)] * 5,
            "时": [datetime.fromisoformat("2026-01-02 03:04:05")] * 5,
            "额": [Decimal("1.50")] * 5,
            "标": [["x"]] * 5,
        }
    )
    pq.write_table(table, tmp_path / "a.parquet", row_group_size=3)
    whole = read_all(tmp_path / "a.parquet")
    assert whole.rows[1] == [None, "2026-01-02", "2026-01-02 03:04:05", "1.50", '["x"]']
    assert whole.lines == [1, 2, 3, 4, 5]
    assert read_all(tmp_path / "a.parquet", start=whole.chunks[0].position).rows == whole.rows[2:]


def packed(path: Path, **members: bytes) -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return path


def test_a_zip_gives_the_member_that_is_asked_for(tmp_path: Path) -> None:
    path = packed(tmp_path / "a.zip", **{"说明.docx": b"x", "数据/一.csv": "名,值\n甲,1\n".encode(), "__MACOSX/._一.csv": b"x"})
    assert read_all(path).rows == [["甲", "1"]]
    packed(path, **{"一.csv": b"a,b\n1,2\n", "二.csv": b"a,b\n3,4\n"})
    assert read_all(path, Layout(member="二*")).rows == [["3", "4"]]
    with pytest.raises(HaitangError, match="several_members"):
        read_all(path)
    with pytest.raises(HaitangError, match="no_member"):
        read_all(path, Layout(member="三*"))


def test_names_in_the_code_page_of_chinese_windows(tmp_path: Path) -> None:
    path = tmp_path / "a.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr(zipfile.ZipInfo("XXXX.csv"), b"a\n1\n")
    path.write_bytes(path.read_bytes().replace(b"XXXX.csv", "数据.csv".encode("gb18030")))
    assert choose(path, None)[0] == "数据.csv"


@pytest.mark.parametrize("name", ["../../etc/x.csv", "/etc/x.csv", "C:\\x.csv", "a/../../x.csv"])
def test_a_name_that_leads_out_is_refused(tmp_path: Path, name: str) -> None:
    with pytest.raises(HaitangError, match="member_unsafe"):
        read_all(packed(tmp_path / "a.zip", **{name: b"a\n1\n"}))


def test_a_bomb_is_not_unpacked(tmp_path: Path) -> None:
    bomb = packed(tmp_path / "a.zip", **{"a.csv": b"0" * 60_000_000})
    with pytest.raises(HaitangError, match="unpacks_too_large"):
        read_all(bomb)


def test_a_preview_shows_the_first_rows(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("a,b\n" + "1,2\n" * 100)
    shown = preview(tmp_path / "a.csv", rows=5)
    assert shown is not None
    assert (shown.columns.num_rows, len(shown.line)) == (5, 5)
