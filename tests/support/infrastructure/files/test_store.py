"""Files by content."""

import contextlib
import hashlib
import io
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from haitang.base import settings as instance
from haitang.base.errors import HaitangError
from haitang.support.infrastructure.files import store

JPEG = b"\xff\xd8\xff\xe0 photo"


@pytest.fixture(autouse=True)
def data(tmp_path: Path) -> Iterator[Path]:
    kept = instance._current
    instance.use(instance.load({"data": tmp_path}))
    yield tmp_path
    instance._current = kept


def put(content: bytes, **more: object) -> store.Stored:
    return store.put(io.BytesIO(content), **more)  # type: ignore[arg-type]


def office(name: str) -> bytes:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr(name, "x")
    return packed.getvalue()


def test_a_file_comes_back_by_its_digest(data: Path) -> None:
    kept = put(JPEG)
    assert (kept.digest, kept.size, kept.media_type) == (hashlib.sha256(JPEG).hexdigest(), len(JPEG), "image/jpeg")
    assert store.get(kept.digest).read() == JPEG
    assert [f.name for f in (data / "files").rglob("*") if f.is_file()] == [kept.digest[2:]]


def test_the_same_content_is_one_file(data: Path) -> None:
    assert put(JPEG) == put(JPEG)
    assert sum(f.is_file() for f in (data / "files").rglob("*")) == 1


@pytest.mark.parametrize(
    ("content", "kind"),
    [
        (b"\x89PNG\r\n\x1a\n...", "image/png"),
        (b"RIFF\x00\x00\x00\x00WEBPVP8 ", "image/webp"),
        (b"\x00\x00\x00\x18ftypheic....", "image/heic"),
        (b"\x00\x00\x00\x18ftypisom....", "video/mp4"),
        (b"%PDF-1.7", "application/pdf"),
        ("情况说明".encode(), "text/plain"),
        (b"<html><script>alert(1)</script>", "text/plain"),
        (office("word/document.xml"), "application/vnd.openxmlformats-officedocument.wordprocessingml.document"),
    ],
)
def test_the_type_is_what_the_bytes_say(content: bytes, kind: str) -> None:
    assert put(content).media_type == kind


@pytest.mark.parametrize(
    ("content", "code"),
    [
        (b"", "files.empty"),
        (b"\x7fELF\x00\x01", "files.not_accepted"),
        (office("run.exe"), "files.not_accepted"),
        (b"PK\x03\x04 broken", "files.not_accepted"),
    ],
)
def test_what_is_not_accepted_leaves_nothing_behind(data: Path, content: bytes, code: str) -> None:
    with pytest.raises(HaitangError) as refused:
        put(content)
    assert refused.value.code == code
    assert not [f for f in (data / "files").rglob("*") if f.is_file()]


def test_a_file_that_is_too_large_is_refused_and_not_kept(data: Path) -> None:
    with pytest.raises(HaitangError, match="请压缩"):
        put(JPEG * 1000, most=1000)
    assert not [f for f in (data / "files").rglob("*") if f.is_file()]


@pytest.mark.parametrize("digest", ["", "..", "../../keys/seal", "a" * 63, "A" * 64, "a" * 64])
def test_what_is_no_digest_opens_nothing(digest: str) -> None:
    with pytest.raises(HaitangError, match="没有摘要"):
        store.get(digest)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.binary(max_size=300))
def test_any_bytes_are_kept_whole_or_refused(content: bytes) -> None:
    with contextlib.suppress(HaitangError):
        assert store.get(put(content).digest).read() == content
