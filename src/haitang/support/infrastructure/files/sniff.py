"""What a file is, by its first bytes: never by the name or type that the sender claims."""

import zipfile
from typing import BinaryIO

_MAGIC = (
    (b"\xff\xd8\xff", "image/jpeg"),
    (b"\x89PNG\r\n\x1a\n", "image/png"),
    (b"GIF87a", "image/gif"),
    (b"GIF89a", "image/gif"),
    (b"%PDF-", "application/pdf"),
)
_OFFICE = {
    "word/": "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
    "xl/": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    "ppt/": "application/vnd.openxmlformats-officedocument.presentationml.presentation",
}
_HEIC = (b"heic", b"heix", b"mif1", b"hevc")


def media_type(file: BinaryIO) -> str | None:
    """The media type of an open file, or None where it is of no known kind. Markup (HTML, SVG) is plain text here, so no browser runs it."""
    file.seek(0)
    head = file.read(4096)
    for magic, name in _MAGIC:
        if head.startswith(magic):
            return name
    if head[:4] == b"RIFF" and head[8:12] == b"WEBP":
        return "image/webp"
    if head[4:8] == b"ftyp":
        return "image/heic" if head[8:12] in _HEIC else "video/mp4"
    if head[:4] == b"PK\x03\x04":
        return _office(file)
    return "text/plain" if _is_text(head) else None


def _office(file: BinaryIO) -> str | None:
    """An office document is a zip whose names give it away; any other archive is not accepted."""
    file.seek(0)
    try:
        names = zipfile.ZipFile(file).namelist()
    except (zipfile.BadZipFile, ValueError, NotImplementedError):
        return None
    return next((kind for folder, kind in _OFFICE.items() if any(name.startswith(folder) for name in names)), None)


def _is_text(head: bytes) -> bool:
    if not head or b"\x00" in head:
        return False
    for cut in range(4):  # a character may be cut at the end of what was read
        try:
            head[: len(head) - cut].decode("utf-8")
        except UnicodeDecodeError:
            continue
        return True
    return False
