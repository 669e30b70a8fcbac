"""The embedded engines: private, on loopback, refused when they do not fit."""

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from haitang.base.errors import HaitangError
from haitang.support.infrastructure.embedded import ports
from haitang.support.infrastructure.embedded.nats import Nats
from haitang.support.infrastructure.embedded.ports import is_free, kept_port
from haitang.support.infrastructure.embedded.postgres import Postgres
from haitang.support.infrastructure.embedded.secrets import kept_secret
from haitang.support.infrastructure.embedded.unprivileged import account, prefix
from tests.ports import free_port
from tests.server.instances import wait_until

SYS_PTRACE = 19  # the capability by which root sees where the processes of others work


def test_a_secret_is_made_once_and_private(tmp_path: Path) -> None:
    made = kept_secret(tmp_path / "password")
    assert kept_secret(tmp_path / "password") == made
    assert (tmp_path / "password").stat().st_mode & 0o777 == 0o600


def test_a_port_is_kept_while_it_is_free(tmp_path: Path) -> None:
    assert kept_port(tmp_path / "ports.json", "nats") == kept_port(tmp_path / "ports.json", "nats")


def test_a_port_that_is_taken_is_chosen_anew(tmp_path: Path) -> None:
    import socket

    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        (tmp_path / "ports.json").write_text(json.dumps({"nats": port}))
        assert not is_free(port)
        assert kept_port(tmp_path / "ports.json", "nats") != port


def test_a_port_that_was_given_is_given_to_nobody_else_meanwhile() -> None:
    given = [ports.free_port() for _ in range(400)]
    assert len(set(given)) == len(given)
    assert all(map(is_free, given))


def test_nats_puts_every_acknowledgement_on_disk(tmp_path: Path) -> None:
    server = Nats(tmp_path / "nats", free_port())
    server.prepare()
    told = json.loads((tmp_path / "nats" / "nats.conf").read_text())
    assert told["jetstream"]["sync_interval"] == "always"
    assert told["listen"].startswith("127.0.0.1:")
    assert (tmp_path / "nats" / "nats.conf").stat().st_mode & 0o777 == 0o600


def test_a_cluster_of_another_major_version_is_named(tmp_path: Path) -> None:
    server = Postgres(tmp_path / "postgres", free_port())
    server.cluster.mkdir(parents=True)
    (server.cluster / "PG_VERSION").write_text("9\n")
    with pytest.raises(HaitangError, match="PostgreSQL 9 建立"):
        server.prepare()


def test_a_cluster_is_private_and_asks_for_a_password(tmp_path: Path) -> None:
    server = Postgres(tmp_path / "postgres", free_port())
    server.prepare()
    rules = (server.cluster / "pg_hba.conf").read_text()
    assert " trust" not in "\n".join(line for line in rules.splitlines() if not line.startswith("#"))
    assert server.directory.stat().st_mode & 0o777 == 0o700


@pytest.mark.skipif(os.geteuid() != 0, reason="only root hands the engines to another user")
def test_root_does_not_run_the_engines_itself(tmp_path: Path) -> None:
    command = Nats(tmp_path / "nats", free_port())
    command.prepare()
    words = command.command()
    before = words.index(next(word for word in words if word.endswith("nats-server")))
    said = subprocess.run([*words[:before], "id", "-u"], capture_output=True, text=True, cwd="/", check=True).stdout
    user = account()
    assert user
    assert int(said) == user.pw_uid != 0


def sees_little() -> bool:
    told = Path("/proc/self/status").read_text("ascii")
    effective = int(next(line.split()[1] for line in told.splitlines() if line.startswith("CapEff:")), 16)
    return os.geteuid() == 0 and not effective >> SYS_PTRACE & 1


@pytest.mark.skipif(sees_little(), reason="root may not look here where its engines work, and takes each for the one that holds the lock")
def test_the_lock_of_a_server_that_power_took_away_is_removed(tmp_path: Path) -> None:
    server = Postgres(tmp_path / "postgres", free_port())
    server.prepare()
    lock = server.cluster / "postmaster.pid"
    lock.write_text(f"{os.getpid()}\n{server.cluster}\n")  # a number that another program has now
    server.wait_for_predecessor(60)
    assert not lock.exists()


def test_the_lock_of_a_server_that_runs_is_left_alone(tmp_path: Path) -> None:
    server = Postgres(tmp_path / "postgres", free_port())
    server.prepare()
    with subprocess.Popen(server.command(), cwd="/", stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as running:
        wait_until(lambda: not is_free(server.port), 60)
        server.wait_for_predecessor(0.5)
        assert (server.cluster / "postmaster.pid").exists()
        running.send_signal(signal.SIGINT)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root is two users at once")
def test_the_server_of_another_user_holds_no_lock_of_ours(tmp_path: Path) -> None:
    """A machine's own PostgreSQL: we may not look where it works."""
    user = account()
    assert user
    server = Postgres(tmp_path / "postgres", free_port())
    server.cluster.mkdir(parents=True)
    os.chown(server.cluster, user.pw_uid, user.pw_gid)
    (tmp_path / "program").mkdir()
    theirs = tmp_path / "program" / "postgres"
    theirs.symlink_to("/bin/sh")
    looks = f"from pathlib import Path; from {Postgres.__module__} import Postgres; print(Postgres(Path({str(server.directory)!r}), 1)._is_held())"
    other = [word.replace(f"--reuid={user.pw_uid}", f"--reuid={user.pw_uid - 1}") for word in prefix(theirs)]
    with subprocess.Popen([*other, theirs, "-c", "echo; read ends"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, cwd="/") as running:
        assert running.stdout
        running.stdout.readline()
        ours = prefix(Path(sys.executable), Path(__file__).parent, server.directory)
        said = subprocess.run([*ours, sys.executable, "-c", looks], capture_output=True, text=True, cwd="/", check=True).stdout
    assert said.strip() == "False"
