"""An embedded NATS server with JetStream, which faces no device: loopback only, every acknowledgement on disk."""

import json
import os
import shutil
from pathlib import Path

from haitang.support.infrastructure.embedded import unprivileged
from haitang.support.infrastructure.embedded.binaries import nats_server
from haitang.support.infrastructure.embedded.secrets import kept_secret

GIB = 1 << 30


class Nats:
    """One server on loopback; `directory` holds configuration, password and store. Stop it with SIGTERM."""

    def __init__(self, directory: Path, port: int) -> None:
        self.directory, self.port = directory, port

    @property
    def password(self) -> str:
        return kept_secret(self.directory / "password")

    @property
    def url(self) -> str:
        return f"nats://haitang:{self.password}@127.0.0.1:{self.port}"

    def prepare(self) -> None:
        """Write the configuration; keep the store."""
        (self.directory / "store").mkdir(parents=True, exist_ok=True)
        self.directory.chmod(0o700)
        file = self.directory / "nats.conf"
        descriptor = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(descriptor, "w", encoding="utf-8") as out:
            out.write(self._configuration())
        for path in (self.directory, self.directory / "store", file):
            unprivileged.give(path)

    def _configuration(self) -> str:
        free = shutil.disk_usage(self.directory).free
        settings = {
            "server_name": "haitang",
            "listen": f"127.0.0.1:{self.port}",
            "max_payload": 8 << 20,
            "max_pending": 64 << 20,
            "logtime": True,
            "authorization": {"user": "haitang", "password": self.password},
            "jetstream": {
                "store_dir": str(self.directory / "store"),
                "max_memory_store": 64 << 20,
                "max_file_store": max(GIB, min(16 * GIB, free // 2)),
                "sync_interval": "always",
            },
        }
        return json.dumps(settings, ensure_ascii=False, indent=2)  # JSON is valid NATS configuration

    def command(self) -> list[str]:
        """What the supervisor runs."""
        program = nats_server()
        return [*unprivileged.prefix(program, self.directory), str(program), "-c", str(self.directory / "nats.conf")]
