"""The broker and clients of the tests that speak MQTT with others: Debian's Mosquitto, installed where we may."""

import os
import shutil

from haitang.server.testing.packages import there

PACKAGES = ("mosquitto", "mosquitto-clients")
_PATH = os.pathsep.join([os.environ.get("PATH", ""), "/usr/sbin", "/usr/local/sbin"])


def program(name: str) -> str | None:
    """Where a program of Mosquitto stands; the broker is not on an ordinary user's PATH."""
    return shutil.which(name, path=_PATH)


def mosquitto_there() -> str:
    """Make sure that broker and clients are there; an empty string, or the reason why their tests are skipped."""
    return there(PACKAGES, lambda: all(program(name) for name in ("mosquitto", "mosquitto_pub", "mosquitto_sub")), "Mosquitto")
