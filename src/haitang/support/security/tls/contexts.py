"""One TLS context a process, TLS 1.2 and newer, that takes a changed certificate up while connections stay.

A context hands its certificate to new handshakes only, so that loading the changed files into the same context renews it without dropping anybody. Files that do not fit each other
(a renewal that is half written) leave the certificate as it was and are looked at again.
"""

import asyncio
import ssl
from pathlib import Path

import structlog

from haitang.base.errors import error
from haitang.base.settings import settings

log = structlog.get_logger()
BAD_CERTIFICATE = error(
    "tls.bad_certificate", 500, "无法使用证书 {certificate} 和私钥 {key}：{reason}。请检查 HAITANG_TLS_CERTIFICATE 和 HAITANG_TLS_KEY。"
)
EVERY = 5.0  # seconds between two looks at the files


class Renewed:
    """A server context that follows its files."""

    def __init__(self, certificate: Path, key: Path) -> None:
        self._files = (certificate, key)
        self.context = _fresh()
        self._seen = self._state()
        self._load(self.context)

    def _load(self, context: ssl.SSLContext) -> None:
        certificate, key = self._files
        try:
            context.load_cert_chain(certificate, key, password=lambda: b"")
        except (OSError, ssl.SSLError) as failure:
            raise BAD_CERTIFICATE(certificate=certificate, key=key, reason=str(failure)) from None

    def _state(self) -> tuple[tuple[int, int, int], ...]:
        found = []
        for file in self._files:
            try:
                told = file.stat()
                found.append((told.st_ino, told.st_mtime_ns, told.st_size))
            except OSError:
                found.append((0, 0, 0))
        return tuple(found)

    def look(self) -> bool:
        """Take changed files up; whether they were. What does not fit is logged and tried again when it changes."""
        now = self._state()
        if now == self._seen:
            return False
        self._seen = now
        try:
            self._load(_fresh())  # tried apart: a half written pair must not spoil the context in use
            self._load(self.context)
        except Exception as failure:
            log.error("tls.not_renewed", reason=str(failure))
            return False
        log.info("tls.renewed", certificate=str(self._files[0]))
        return True

    async def keep_fresh(self) -> None:
        while True:
            await asyncio.sleep(EVERY)
            self.look()


def _fresh() -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.options |= ssl.OP_NO_COMPRESSION | ssl.OP_CIPHER_SERVER_PREFERENCE | getattr(ssl, "OP_NO_RENEGOTIATION", 0)
    context.set_ciphers("ECDHE+AESGCM:ECDHE+CHACHA20")  # of TLS 1.2: forward secrecy and authenticated encryption only
    return context


def served(what: str) -> Renewed | None:
    """The context for `http`, `mqtt` or `hj212`; None where it speaks without TLS. Raises BAD_CERTIFICATE."""
    if not settings().speaks_tls(what):
        return None
    certificate = Path(settings().tls_certificate)
    return Renewed(certificate, Path(settings().tls_key or certificate))


def to_listener(what: str) -> ssl.SSLContext | None:
    """How a client on this machine reaches `http`, `mqtt` or `hj212` of its own instance; None where that speaks without TLS."""
    return to_ourselves() if settings().speaks_tls(what) else None


def verifying() -> ssl.SSLContext | bool:
    """The same for an httpx client, as its `verify`."""
    return to_listener("http") or True


def to_ourselves() -> ssl.SSLContext:
    """For a command on this machine that asks its own instance: the instance's very certificate, whatever name stands in it."""
    context = ssl.create_default_context(cafile=settings().tls_certificate)
    context.check_hostname = False
    context.verify_flags |= ssl.VERIFY_X509_PARTIAL_CHAIN
    return context
