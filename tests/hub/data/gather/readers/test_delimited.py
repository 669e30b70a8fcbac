"""CSV and its kin: what was written is read, what is broken is named, nothing is lost."""

import contextlib
import csv
import io
from pathlib import Path

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from haitang.base.errors import HaitangError
from haitang.hub.data.gather import faults
from haitang.hub.data.gather.readers import delimited, rows
from haitang.hub.data.gather.readers.opened import Opened
from haitang.hub.data.gather.readers.types import Layout
from tests.hub.data.gather.readers.read_all import Whole, read_all

ONE_FOLDER = settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)


def read_text(folder: Path, content: str | bytes, layout: Layout | None = None, name: str = "file.csv") -> Whole:
    path = folder / name
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return read_all(path, layout)


# Letters that mean something somewhere, Chinese, and what input methods leave behind.
cells = st.text(st.sampled_from('abc12 ,;|\t"\n\r\'.-大足区１２，"￥é😀'), max_size=8)


@ONE_FOLDER
@given(
    st.lists(st.lists(cells, min_size=3, max_size=3).filter(lambda row: any(cell.strip() for cell in row)), max_size=12),
    st.sampled_from([",", ";", "\t", "|"]),
    st.sampled_from(["\n", "\r\n", "\r"]),
    st.sampled_from(["utf-8", "utf-8-sig", "gb18030", "utf-16"]),
    st.sampled_from([csv.QUOTE_MINIMAL, csv.QUOTE_ALL]),
)
def test_what_is_written_is_read_back(
    tmp_path: Path, table: list[list[str]], delimiter: str, end: str, encoding: str, quoting: int
) -> None:
    if any({"\r", "\n"} & set(cell) for row in table for cell in row):
        quoting = csv.QUOTE_ALL  # Python quotes the line end only, not its other half
    out = io.StringIO(newline="")
    writer = csv.writer(out, delimiter=delimiter, lineterminator=end, quoting=quoting)
    writer.writerows([["名称", "数量", "备注"], *table])
    layout = Layout(encoding="utf-16" if encoding == "utf-16" else None, delimiter=delimiter)
    read = read_text(tmp_path, out.getvalue().encode(encoding), layout)
    assert read.names == ["名称", "数量", "备注"]
    assert read.broken == []
    assert read.rows == table


@ONE_FOLDER
@given(st.binary(max_size=400) | st.text(st.sampled_from('ab,"\n\r;\t\0大'), max_size=200).map(lambda text: text.encode("gb18030")))
@example(b'"')
@example(b"\xff\xfe\x00")
@example(b'a,b\n"x","y\n1,2\n')
@example(b"\x1f\x8b\x08garbage")
@example(b"PK\x03\x04nonsense")
@example(b"[1, 2")
@example(b"PAR1xx")
def test_any_bytes_give_rows_or_an_error(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "any").write_bytes(content)
    for format in (None, "csv", "json"):
        with contextlib.suppress(HaitangError):
            read_all(tmp_path / "any", Layout(format=format))


PLAIN = ["a,b,c", "d,e,f", ",,", "合计,1,2"]
ODD = ["a,b", "", "a,b,c,,", "1,2,3,4", "a,b,c\r", "a,b\rc,d,e"]
QUOTED = ['"x\ny",b,c', 'a"b,c,d', '"a"b,c,d', '"']


@ONE_FOLDER
@given(st.one_of(*(st.lists(st.sampled_from(lines), max_size=40) for lines in (PLAIN, PLAIN + ODD, PLAIN + ODD + QUOTED))))
def test_fast_and_careful_ways_agree(tmp_path: Path, lines: list[str]) -> None:
    """The careful way alone, row after row, gives the same rows as the fast way with its exceptions."""
    text = "\n".join(["h,i,j", *lines]) + "\n"
    fast = read_text(tmp_path, text)
    careful = read_text(tmp_path, text.replace(",", "¦"), Layout(delimiter="¦"))
    assert careful.rows == fast.rows
    assert (careful.lines, careful.reasons, careful.left_out) == (fast.lines, fast.reasons, fast.left_out)


def test_a_ragged_row_is_broken_and_named_by_its_line(tmp_path: Path) -> None:
    read = read_text(tmp_path, 'a,b\n1,2\n3\n"4\n5",6\n7,8,9\n10,11,\n12,13\n')
    assert read.rows == [["1", "2"], ["4\n5", "6"], ["10", "11"], ["12", "13"]]
    assert read.lines == [2, 4, 7, 8]
    assert read.reasons == [(3, faults.FEWER), (6, faults.MORE)]
    assert read.raw[1] == '"4\n5",6'


def test_a_stray_quote_spoils_its_own_row_only(tmp_path: Path) -> None:
    read = read_text(tmp_path, 'a,b\n"1,2\n3,4\n5" 屏,6\n"7"x,8\n9,"10" \n')
    assert read.rows == [["3", "4"], ['5" 屏', "6"], ["9", "10"]]
    assert read.reasons == [(2, faults.AFTER_QUOTE), (5, faults.AFTER_QUOTE)]


def test_mixed_line_breaks_are_counted_as_an_editor_does(tmp_path: Path) -> None:
    read = read_text(tmp_path, b"a,b\r\n1,2\n3,4\r5,6\r\n")
    assert (read.rows, read.lines) == ([["1", "2"], ["3", "4"], ["5", "6"]], [2, 3, 4])


def test_bytes_that_are_no_text_and_nul_break_their_row(tmp_path: Path) -> None:
    read = read_text(tmp_path, "名,值\n大足,1\n".encode() + b"\xe5\xa4,2\n" + "龙水,3\n".encode() + b"a\0b,4\n")
    assert read.rows == [["大足", "1"], ["龙水", "3"]]
    assert read.reasons == [(3, faults.UNDECODABLE), (5, faults.NUL)]
    assert read.broken[1].raw == "a␀b,4"


def test_the_encoding_is_found_behind_a_long_stretch_of_ascii(tmp_path: Path) -> None:
    content = "name,value\n" + "abc,1\n" * 300_000 + "大足,2\n"
    assert read_text(tmp_path, content.encode("gb18030")).rows[-1] == ["大足", "2"]


def test_titles_notes_and_totals_are_no_data(tmp_path: Path) -> None:
    content = "\n".join(
        [
            "大足区 2026 年企业排放情况表,,,",
            "填报单位：区生态环境局,,单位：吨,",
            "企业,污染物,,",
            ",二氧化硫,氮氧化物,颗粒物",
            "甲厂,1,2,3",
            "小计,1,2,3",
            "",
            "企业,污染物,,",
            ",二氧化硫,氮氧化物,颗粒物",
            "乙厂,4,5,6",
            "合　计：,5,7,9",
            "注：数据为示例",
            "审核人：张三,,日期：2026-01-01,",
        ]
    )
    read = read_text(tmp_path, content)
    assert read.names == ["企业", "污染物_二氧化硫", "污染物_氮氧化物", "污染物_颗粒物"]
    assert [row[0] for row in read.rows] == ["甲厂", "乙厂"]
    assert read.left_out == {"title": 2, "header": 2, "totals": 2, "blank": 1, "repeated_header": 2, "note": 2}


def test_a_file_without_headings_keeps_its_first_row(tmp_path: Path) -> None:
    read = read_text(tmp_path, "龙岗,105.7,29.7\n棠香,105.8,29.6\n")
    assert read.names == ["第1列", "第2列", "第3列"]
    assert len(read.rows) == 2


def test_years_as_headings_are_headings(tmp_path: Path) -> None:
    assert read_text(tmp_path, "指标,2024,2025\n产值,1,2\n").names == ["指标", "2024", "2025"]


def test_headings_without_or_with_the_same_name_are_told_apart(tmp_path: Path) -> None:
    assert read_text(tmp_path, "名称,,数量,数量\n甲,乙,1,2\n丙,丁,3,4\n").names == ["名称", "第2列", "数量", "数量_4"]


def test_cells_stay_as_they_stand(tmp_path: Path) -> None:
    read = read_text(tmp_path, 'a,b,c\n" 1,234.50 ",１２３, x \n')
    assert read.rows == [[" 1,234.50 ", "１２３", " x "]]


@pytest.mark.parametrize("cut", range(6))
def test_a_run_goes_on_where_it_stopped(tmp_path: Path, cut: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(delimited, "_FIRST_BLOCK", 64)
    monkeypatch.setattr(delimited, "_LARGEST_BLOCK", 64)
    lines = [f'大足{n},"第\n{n}行"' if n % 3 else f"坏{n}" for n in range(40)]
    path = tmp_path / "file.csv"
    path.write_bytes("\r\n".join(["名,值", *lines]).encode("gb18030"))
    whole = read_all(path)
    chosen = whole.chunks[cut * len(whole.chunks) // 6]
    rest = read_all(path, start=chosen.position) if not chosen.done else Whole()
    before = sum(chunk.columns.num_rows for chunk in whole.chunks[: whole.chunks.index(chosen) + 1])
    assert whole.rows[before:] == rest.rows
    assert whole.lines[before:] == rest.lines
    assert rest.file_rows in (0, whole.file_rows)
    assert len(whole.chunks) > 5


def test_an_endless_quote_does_not_swallow_the_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rows, "OPEN", 1000)
    read = read_text(tmp_path, 'a,b\n"1,2\n' + "3,4\n" * 200_000)
    assert len(read.rows) == 200_000
    assert read.reasons == [(2, faults.UNCLOSED)]


def test_a_packed_file_is_unpacked_with_a_limit(tmp_path: Path) -> None:
    import gzip

    (tmp_path / "a.csv.gz").write_bytes(gzip.compress(b"a,b\n1,2\n"))
    assert read_all(tmp_path / "a.csv.gz").rows == [["1", "2"]]
    (tmp_path / "b.csv.gz").write_bytes(gzip.compress(b"a,b\n" + b"0" * 40_000_000))
    with pytest.raises(HaitangError) as failure:
        read_all(tmp_path / "b.csv.gz")
    assert failure.value.code == "gather.unpacks_too_large"


@pytest.mark.parametrize(("size", "given"), [(8, b"ab\ncd\n"), (5, b"ab\n"), (2, None), (12, None), (50, None)])
def test_a_block_is_read_as_far_as_its_last_line_goes(tmp_path: Path, size: int, given: bytes | None) -> None:
    path = tmp_path / "file.csv"
    path.write_bytes(b"ab\ncd\nefghi\n")
    with Opened(path) as file:
        assert file.lines(size) == given
        assert file.read(3) == (b"ab\n" if given is None else b"ab\ncd\nefghi\n"[len(given) :][:3])
