"""The certificate that listeners and pages show: whether it can be used, and for how long still."""

from collections.abc import Iterator
from pathlib import Path

from cryptography import x509

from haitang.base import clock
from haitang.base.errors import HaitangError
from haitang.base.settings import settings
from haitang.base.text import sentence_of
from haitang.server.doctor import Finding
from haitang.support.security.tls.contexts import Renewed

SOON = 14  # days in which a certificate is to be renewed
WHAT = "TLS 证书"
_RENEW = "换上新证书和私钥（HAITANG_TLS_CERTIFICATE、HAITANG_TLS_KEY 所指的文件），各进程数秒内自动采用，连接不断。"


def findings() -> Iterator[Finding]:
    """Nothing where no certificate is set."""
    if not settings().tls_certificate:
        return
    certificate = Path(settings().tls_certificate)
    try:
        Renewed(certificate, Path(settings().tls_key or certificate))
    except HaitangError as failure:
        yield Finding(WHAT, False, sentence_of(failure), _RENEW)
        return
    until = x509.load_pem_x509_certificate(certificate.read_bytes()).not_valid_after_utc
    days = (until - clock.now()).days
    told = f"{until.astimezone(clock.CHINA):%Y-%m-%d %H:%M} 到期，" + ("已过期" if days < 0 else f"还有 {days} 天")
    yield Finding(WHAT, days >= SOON, told, _RENEW)
