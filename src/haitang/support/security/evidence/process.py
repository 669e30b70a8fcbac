"""The sealer: seals the ledger every `seal_seconds`. A process of its own, so that a long queue of jobs never delays a seal."""

import threading
import time

import structlog
from django.db import close_old_connections

from haitang.base import ports
from haitang.base.settings import settings
from haitang.support.security.evidence.daily import tend
from haitang.support.security.evidence.sealing import as_json, seal_once

log = structlog.get_logger()
TEND_SECONDS = 60.0


def run(stop: threading.Event) -> None:
    """Seal until told to stop, and now and then tend what is due; a failure is logged and tried again at the next turn."""
    tended = 0.0
    while not stop.is_set():
        try:
            _seal()
        except Exception:
            log.exception("sealing failed")
        if time.monotonic() - tended > TEND_SECONDS:
            tended = time.monotonic()
            tend()
        stop.wait(settings().seal_seconds)


def _seal() -> None:
    close_old_connections()
    while seal := seal_once():
        log.info("sealed", number=seal.number, records=seal.count)
        ports.live().announce("seal", as_json(seal))
