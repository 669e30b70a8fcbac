"""The MariaDB server of the tests that read from MySQL: Debian's, installed where we may."""

import os
import shutil

from haitang.server.testing.packages import there

PACKAGES = ("mariadb-server",)
_PATH = os.pathsep.join([os.environ.get("PATH", ""), "/usr/sbin", "/usr/local/sbin"])


def program(name: str) -> str | None:
    """Where a program of MariaDB stands; the server is not on an ordinary user's PATH."""
    return shutil.which(name, path=_PATH)


def mariadb_there() -> str:
    """Make sure that the server is there; an empty string, or the reason why its tests are skipped."""
    return there(PACKAGES, lambda: program("mariadbd") is not None, "MariaDB")
