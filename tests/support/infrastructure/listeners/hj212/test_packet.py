"""Segments are read as stations write them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from haitang.support.infrastructure.listeners.hj212.frame import Frame, Framer
from haitang.support.infrastructure.listeners.hj212.packet import Packet, UnreadablePacketError, compose, parse, read_cp
from tests.support.infrastructure.listeners.hj212.samples import lines


def wild() -> list[Packet]:
    return [parse(f.segment) for f in Framer().feed(b"".join(lines("wild-valid.txt"))) if isinstance(f, Frame)]


def test_editions_are_told_by_the_version_bits() -> None:
    assert [(p.edition, p.wants_answer, p.flag) for p in wild()] == [
        ("2017", False, 4), ("2005", False, None), ("2005", False, None), ("2005", False, None), ("2017", True, 5), ("2025", True, 9), ("2025", False, 8),
    ]  # fmt: skip


def test_items_keep_code_suffix_and_value() -> None:
    first = wild()[0]
    assert first.values == {"datatime": "20191012133710"}
    assert first.factors["a21007"] == {"rtd": "0.033", "flag": "N"}
    assert len(first.factors) == 7


def test_free_text_is_not_split() -> None:
    assert read_cp("PolId=w01018;i11001-Info=//清洗,管路;完//") == ({"polid": "w01018"}, {"i11001": {"info": "//清洗,管路;完//"}})


def test_a_segment_without_station_or_command_is_refused() -> None:
    for segment in (b"ST=32;CN=2011;PW=1;Flag=5;CP=&&&&", b"ST=32;MN=A;CP=&&&&", b"", b"\xff\xfe"):
        with pytest.raises(UnreadablePacketError):
            parse(segment)


def test_a_packet_sent_again_has_the_same_reference() -> None:
    told = {"st": "22", "cn": "2011", "mn": "M", "pw": "1", "qn": "20240101000000000", "flag": 5, "cp": "DataTime=1"}
    assert parse(compose(**told)).ref == parse(compose(**told, resent=True)).ref  # type: ignore[arg-type]
    assert parse(compose(**told, part=(2, 1))).ref != parse(compose(**told, part=(2, 2))).ref  # type: ignore[arg-type]


@given(st.binary(max_size=300))
def test_random_segments_never_crash(segment: bytes) -> None:
    try:
        parse(b"CN=2011;MN=A;CP=&&" + segment + b"&&")
        parse(segment)
    except UnreadablePacketError:
        pass
