"""The sessions of this process on the database's server, told from everybody else's by their name."""

import os
import secrets

import psycopg

PATIENCE = 5.0  # seconds that a session has to end, and that a connection may take
_names: dict[int, str] = {}


def name() -> str:
    """The `application_name` of this process's sessions; a process that was forked has another."""
    return _names.setdefault(os.getpid(), f"haitang {os.getpid()} {secrets.token_hex(4)}")


def end(address: str) -> int:
    """End what sessions of this process the server at `address` still has, and give their number; raises psycopg.OperationalError.

    For who has let go of all its connections after an error: behind a broken network the server would keep them, with their locks and what they had begun, for ten seconds
    and more, and whoever begins anew would wait for them.
    """
    with psycopg.connect(address, autocommit=True, connect_timeout=int(PATIENCE)) as connection:
        asked = "select count(pg_terminate_backend(pid, %s)) from pg_stat_activity where application_name = %s and pid <> pg_backend_pid()"
        found = connection.execute(asked, [int(PATIENCE * 1000), name()]).fetchone()
        return int(found[0]) if found else 0
