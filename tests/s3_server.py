"""A real S3 store for tests: SeaweedFS, one process with a folder of its own."""

import json
import subprocess
import sys
import time
from pathlib import Path

import httpx

from tests.database import _die_with_parent
from tests.ports import free_port

KEY, SECRET = "haitang", "secret-of-a-test"


class S3Server:
    """`environment` is what a process needs to reach it; buckets are made at the first write."""

    def __init__(self, folder: Path) -> None:
        self._folder, self.port = folder, free_port()
        self.environment = {
            "AWS_ENDPOINT_URL": f"http://127.0.0.1:{self.port}",
            "AWS_ACCESS_KEY_ID": KEY,
            "AWS_SECRET_ACCESS_KEY": SECRET,
            "AWS_REGION": "us-east-1",
        }
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> "S3Server":
        who = {"name": "t", "credentials": [{"accessKey": KEY, "secretKey": SECRET}], "actions": ["Admin", "Read", "Write", "List"]}
        (self._folder / "data").mkdir(parents=True, exist_ok=True)
        (self._folder / "s3.json").write_text(json.dumps({"identities": [who]}))
        with (self._folder / "log").open("ab") as log:
            self._process = subprocess.Popen(self._command(), stdout=log, stderr=log, stdin=subprocess.DEVNULL, preexec_fn=_die_with_parent)
        until = time.monotonic() + 60
        while time.monotonic() < until:
            try:
                if httpx.get(f"http://127.0.0.1:{self.port}/", trust_env=False).status_code == 403:  # it asks who we are: it serves
                    return self
            except httpx.HTTPError:
                time.sleep(0.1)
        raise RuntimeError((self._folder / "log").read_text()[-2000:])

    def _command(self) -> list[str]:
        ports = [f"-{part}.port{kind}={free_port()}" for part in ("master", "volume", "filer") for kind in ("", ".grpc")]
        return [
            str(Path(sys.executable).parent / "weed"), "server", f"-dir={self._folder / 'data'}", "-ip=127.0.0.1", "-ip.bind=127.0.0.1", *ports,
            "-volume.max=20", "-master.volumeSizeLimitMB=64", "-s3", f"-s3.port={self.port}", f"-s3.port.grpc={free_port()}",
            "-s3.port.iceberg=0", "-s3.port.lance=0", f"-s3.config={self._folder / 's3.json'}",
        ]  # fmt: skip

    def stop(self) -> None:
        if self._process and self._process.poll() is None:
            self._process.kill()  # asked nicely it waits ten seconds for clients that are gone
            self._process.wait(60)
