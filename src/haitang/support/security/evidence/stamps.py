"""Time stamps of an outside service (RFC 3161) over the `chain` of a seal: made ready to ask for, and checked offline.

The service signs SHA-256 of the chain's 32 bytes and its own time; because each chain contains the one before, one stamp covers all that was sealed earlier.
"""

from dataclasses import dataclass
from datetime import datetime

from cryptography.x509 import Certificate, load_pem_x509_certificates
from rfc3161_client import (
    HashAlgorithm,
    TimeStampRequest,
    TimestampRequestBuilder,
    VerificationError,
    VerifierBuilder,
    decode_timestamp_response,
)

from haitang.support.security.evidence.merkle import sha256


class StampFault(ValueError):
    """Why a time stamp does not hold, in words of the library."""


@dataclass(frozen=True)
class Stamp:
    """A stamp that holds: the service's time, and whether it chains to a certificate that was given."""

    at: datetime
    anchored: bool


def request_for(chain: bytes) -> TimeStampRequest:
    return TimestampRequestBuilder().data(chain).hash_algorithm(HashAlgorithm.SHA256).build()


def check(response: bytes, chain: bytes, authorities: bytes | None = None, request: TimeStampRequest | None = None) -> Stamp:
    """Check a TimeStampResp (DER) over `chain`; raises StampFault.

    With `authorities` (PEM certificates; the self-signed ones are roots) also signature, certificates at the time of the stamp and their purpose; with `request` also its nonce.
    """
    try:
        found = decode_timestamp_response(response)
        if found.status != 0:
            raise StampFault(f"status {found.status} {' '.join(found.status_string)}")
        if found.tst_info.message_imprint.message != sha256(chain):
            raise StampFault("stamp of something else")
        if request is not None and found.tst_info.nonce != request.nonce:
            raise StampFault("answer to another request")
        if authorities is not None:
            _verifier(load_pem_x509_certificates(authorities)).verify(found, sha256(chain))
    except (ValueError, VerificationError) as fault:
        raise StampFault(str(fault)) from None
    return Stamp(found.tst_info.gen_time, authorities is not None)


def _verifier(certificates: list[Certificate]):  # type: ignore[no-untyped-def]
    builder = VerifierBuilder()
    for each in certificates:
        builder = builder.add_root_certificate(each) if each.issuer == each.subject else builder.add_intermediate_certificate(each)
    return builder.build()
