"""Frames come out of any chunking; nothing that arrives breaks the framer or fills memory."""

import re
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from haitang.support.infrastructure.listeners.hj212 import crc, crypto
from haitang.support.infrastructure.listeners.hj212.frame import LONGEST_ENCRYPTED, Broken, Frame, Framer
from haitang.support.infrastructure.listeners.hj212.packet import framed
from tests.support.infrastructure.listeners.hj212.samples import lines, packets

KEY = b"0" * 16
PLAIN = [
    framed(f"QN=2016080108585722{n};ST=22;CN=2011;PW=123456;MN=M{n};Flag=5;CP=&&DataTime=20160801085857;a34004-Rtd={n}&&".encode())
    for n in range(4)
]
CHINESE = "QN=20160801085857223;ST=32;CN=3020;PW=1;MN=A;Flag=5;CP=&&DataTime=20100301145000;i11001-Info=//清洗，管路//&&".encode()


def by_characters(segment: bytes) -> bytes:
    return b"##%04d%s%s\r\n" % (len(segment.decode()), segment, crc.written(segment))


def encrypted(packet: bytes) -> bytes:
    segment = packet[6:-6]
    return packet[:6] + crypto.conceal(segment, KEY) + packet[-6:]


GOOD = [*PLAIN, framed(CHINESE), by_characters(CHINESE), encrypted(PLAIN[0]), encrypted(PLAIN[1])]


def frames(chunks: list[bytes]) -> list[Frame]:
    framer = Framer()
    return [f for chunk in chunks for f in framer.feed(chunk) if isinstance(f, Frame)]


def cut_up(data: bytes, cuts: list[int]) -> list[bytes]:
    edges = [0, *sorted(c % (len(data) + 1) for c in cuts), len(data)]
    return [data[a:b] for a, b in pairwise(edges)]


def test_the_checksum_is_that_of_the_standard_and_not_modbus() -> None:
    segment = b"QN=20160801085857223;ST=32;CN=1062;PW=100000;MN=010000A8900016F000169DC0;Flag=5;CP=&&RtdInterval=30&&"
    assert crc.written(segment) == b"1C80"
    assert crc.matches(segment, b"1c80")


def as_the_standard_writes_it(segment: bytes) -> int:
    """Appendix A of HJ 212-2017, bit by bit."""
    register = 0xFFFF
    for byte in segment:
        register = (register >> 8) ^ byte
        for _ in range(8):
            register = (register >> 1) ^ 0xA001 if register & 1 else register >> 1
    return register


@given(st.binary(max_size=1500))
def test_the_folded_checksum_is_that_of_the_standard(segment: bytes) -> None:
    assert crc.checksum(segment) == as_the_standard_writes_it(segment)


@pytest.mark.parametrize(
    "name",
    [
        "wild-valid.txt",
        "2017-appendix-a.txt",
        "2017-appendix-c-framed-by-us.txt",
        "2025-official-plain.txt",
        "dust-station-framed-by-us.txt",
    ],
)
def test_every_valid_sample_is_framed_and_its_checksum_holds(name: str) -> None:
    data = b"".join(lines(name))
    got = frames([data])
    assert len(got) == len(lines(name))
    assert all(crc.matches(f.segment, f.check) for f in got)
    assert [framed(f.segment).lower() for f in got] == [line.lower() for line in lines(name)]


def test_wrong_checksums_of_the_wild_are_seen() -> None:
    got = frames(lines("wild-bad-crc.txt"))
    assert len(got) == 2
    assert not any(crc.matches(f.segment, f.check) for f in got)


def test_the_official_encrypted_packets_decrypt_to_the_plain_ones() -> None:
    plain = {f.check: f.segment for f in frames(lines("2025-official-plain.txt"))}
    got = frames(lines("2025-official-encrypted.txt"))
    assert len(got) == 2
    for frame in got:
        revealed = crypto.reveal(frame.segment, KEY)
        assert frame.encrypted
        assert revealed == plain[frame.check]
        assert (len(revealed), crc.matches(revealed, frame.check)) == (frame.length, True)
        assert crypto.conceal(revealed, KEY) == frame.segment


def test_the_recorded_log_gives_its_packets_in_order() -> None:
    rows = packets()
    got = frames([row["packet"].encode() + b"\r\n" for row in rows])
    assert len(got) == sum(row["len_ok"] for row in rows)
    assert [crc.matches(f.segment, f.check) for f in got] == [row["crc_ok"] for row in rows]


@settings(deadline=None)
@given(st.lists(st.sampled_from(GOOD), max_size=8), st.lists(st.integers(0, 5000), max_size=30))
def test_chunks_do_not_matter(sent: list[bytes], cuts: list[int]) -> None:
    data = b"".join(sent)
    whole = frames([data])
    assert len(whole) == len(sent)
    assert frames(cut_up(data, cuts)) == whole
    assert frames([bytes([b]) for b in data]) == whole


@settings(deadline=None)
@given(
    st.lists(
        st.one_of(st.sampled_from(GOOD), st.binary(max_size=40), st.sampled_from([b"##", b"##0101", b"##9999Q", b"\r\n", b"&&"])),
        max_size=10,
    )
)
def test_a_good_frame_after_rubbish_is_found(pieces: list[bytes]) -> None:
    # CR LF and a little silence end whatever the rubbish began; at most one frame's length of rubbish can still be waited for.
    framer = Framer()
    for piece in pieces:
        framer.feed(piece)
    framer.feed(b"\r\n" + PLAIN[3] * 2)
    got = framer.feed(PLAIN[3] * 12)
    assert frames([PLAIN[3]])[0] in got


@settings(deadline=None, max_examples=200)
@given(st.lists(st.binary(max_size=3000), max_size=12))
def test_random_bytes_never_fill_memory(chunks: list[bytes]) -> None:
    framer = Framer()
    for chunk in chunks:
        framer.feed(chunk)
        assert framer.held <= LONGEST_ENCRYPTED + 6 + len(chunk)


def test_an_endless_encrypted_frame_is_given_up() -> None:
    framer = Framer()
    head = PLAIN[0][: PLAIN[0].index(b"&&") + 2] + b"{"
    got = framer.feed(head + b"0x41," * 4000)
    assert [f.reason for f in got if isinstance(f, Broken)] == ["oversized"]
    assert framer.held <= 1


@pytest.mark.parametrize(
    ("bad", "reason"),
    [
        (re.sub(rb"^##\d{4}", b"##0999", PLAIN[0]), "cut"),
        (re.sub(rb"^##\d{4}", b"##0012", PLAIN[0]), "cut"),
        (b"##2000" + PLAIN[0][6:], "oversized"),
        (b"##00x1" + PLAIN[0][6:], "length"),
        (PLAIN[0][:50], "cut"),
        (encrypted(PLAIN[0])[:120], "cut"),
        (b"hello", "noise"),
    ],
)
def test_a_broken_frame_costs_no_good_one(bad: bytes, reason: str) -> None:
    got = Framer().feed(bad + PLAIN[1])
    assert [type(f) for f in got] == [Broken, Frame]
    assert isinstance(got[0], Broken)
    assert got[0].reason == reason


def test_a_missing_end_of_line_is_tolerated() -> None:
    assert len(frames([PLAIN[0][:-2] + PLAIN[1][:-2]])) == 2
