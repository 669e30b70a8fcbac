"""Suites: a hash and a signature algorithm under one name, which stands in every file that they sign.

Pure (standard library, `cryptography`, `gmalg`), for the offline verifier. An instance hashes and signs with the suite of setting `suite` from its first key on, and after a change of the
setting from the next rotation on; what was sealed before stays under the suite that it names.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from haitang.base.errors import error
from haitang.base.settings import settings
from haitang.support.security.cryptography import ed25519, sm2
from haitang.support.security.evidence.merkle import Hash, sha256

NO_SUITE = error("cryptography.no_suite", 400, "没有名为“{name}”的密码套件。设置 HAITANG_SUITE 可写：{names}。")


@dataclass(frozen=True)
class Suite:
    """`generate` makes a private key (PEM), `public` gives the raw public key of one, `verify` is False for whatever does not hold."""

    name: str
    hash: Hash
    hash_name: str
    generate: Callable[[], bytes]
    public: Callable[[bytes], bytes]
    sign: Callable[[bytes, bytes], bytes]
    verify: Callable[[bytes, bytes, bytes], bool]

    def key_id(self, public: bytes) -> str:
        """The first 16 hex digits of the public key's hash."""
        return self.hash(public).hex()[:16]


ED25519 = Suite("ed25519-sha256", sha256, "sha256", ed25519.generate, ed25519.public, ed25519.sign, ed25519.verify)
SM2 = Suite("sm2-sm3", sm2.sm3, "sm3", sm2.generate, sm2.public, sm2.sign, sm2.verify)
SUITES: Mapping[str, Suite] = {suite.name: suite for suite in (ED25519, SM2)}


def in_use() -> Suite:
    """The suite that the setting names; raises NO_SUITE."""
    found = SUITES.get(settings().suite)
    if found is None:
        raise NO_SUITE(name=settings().suite, names="、".join(SUITES))
    return found
