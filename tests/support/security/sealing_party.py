"""A process beside the test: `writer`, `sealer`, or a sealer that is killed in the middle. Run as `python -m tests.support.security.sealing_party WHAT DATA`."""

import os
import random
import signal
import sys
import time
from pathlib import Path
from typing import Any

from haitang.server.boot import boot


def die(*_: Any, **__: Any) -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def main(what: str, data: str) -> None:
    boot()
    from django.db import transaction

    from haitang.support.security.evidence import sealing
    from haitang.support.security.evidence.models import Seal
    from tests.support.security.ledger_world import instance, write

    with instance(Path(data)):
        if what == "writer":
            for n in range(20):
                with transaction.atomic():
                    write(f"{os.getpid()}-{n}")
                    transaction.set_rollback(random.random() < 0.2)
            return
        if what == "dies-before-saving":
            sealing._sign = die  # type: ignore[assignment]
        if what == "dies-before-commit":
            save = Seal.save
            sealing._MARK = "select %s, %s"
            Seal.save = lambda self, **given: (save(self, **given), die())  # type: ignore[assignment, method-assign]
        print("ready", flush=True)
        while True:
            sealing.seal_once(at_most=7)
            time.sleep(0.02)


if __name__ == "__main__":
    main(*sys.argv[1:])
