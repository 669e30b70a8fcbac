"""A request's body: read within limits, unpacked within limits."""

import asyncio
import zlib

from starlette.requests import Request

from haitang.base.errors import error

LARGEST = 4 * 1024**2  # bytes as sent
LARGEST_UNPACKED = 16 * 1024**2  # bytes after gzip
OFF_LOOP = 65_536  # packed bytes, from which on they are unpacked beside the event loop
SLOW = 60.0  # seconds in which a body must have come
TOO_SLOW = error("http.too_slow", 408, "请求体没有在 {seconds} 秒内发完，请用同一消息编号重发。")
TOO_LARGE = error("http.too_large", 413, "请求体超过 {most} MiB，请分批发送。")
NOT_JSON_TYPE = error("http.unsupported_type", 415, "Content-Type 须为 application/json，收到“{type}”。")
UNSUPPORTED_ENCODING = error("http.unsupported_encoding", 415, "Content-Encoding 只支持 gzip，收到“{encoding}”。")
BROKEN_GZIP = error("http.broken_gzip", 400, "gzip 内容不完整或已损坏，请重新压缩后发送。")


async def read(request: Request) -> bytes:
    """The unpacked body; raises TOO_LARGE, NOT_JSON_TYPE, UNSUPPORTED_ENCODING, BROKEN_GZIP."""
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind != "application/json":
        raise NOT_JSON_TYPE(type=kind[:60])
    encoding = request.headers.get("content-encoding", "identity").strip().lower()
    if encoding not in ("identity", "gzip", "x-gzip"):
        raise UNSUPPORTED_ENCODING(encoding=encoding[:60])
    told = request.headers.get("content-length", "0")
    if told.isascii() and told.isdigit() and int(told) > LARGEST:
        raise TOO_LARGE(most=LARGEST >> 20)
    try:
        async with asyncio.timeout(SLOW):
            whole = await _whole(request)
    except TimeoutError:
        raise TOO_SLOW(seconds=int(SLOW)) from None
    if encoding == "identity":
        return whole
    return await asyncio.to_thread(unpacked, whole) if len(whole) > OFF_LOOP else unpacked(whole)


async def _whole(request: Request) -> bytes:
    parts, size = list[bytes](), 0
    async for part in request.stream():
        size += len(part)
        if size > LARGEST:
            raise TOO_LARGE(most=LARGEST >> 20)
        parts.append(part)
    return b"".join(parts)


def unpacked(packed: bytes) -> bytes:
    """gzip undone; no more than LARGEST_UNPACKED is ever unpacked, whatever the packed bytes promise."""
    unpacker = zlib.decompressobj(wbits=31)
    try:
        plain = unpacker.decompress(packed, LARGEST_UNPACKED)
    except zlib.error:
        raise BROKEN_GZIP() from None
    if unpacker.unconsumed_tail:
        raise TOO_LARGE(most=LARGEST_UNPACKED >> 20)
    if not unpacker.eof or unpacker.unused_data:
        raise BROKEN_GZIP()
    return plain
