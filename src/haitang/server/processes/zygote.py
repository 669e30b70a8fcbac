"""The zygote: it loads once what every process needs, and each process is forked from it, so that they start at once and share the memory of what is loaded.

It has no thread, connection or release of its own, for a fork would copy them. Orders come over its standard input, a socket of the supervisor: an `Order` with the
descriptor of the log. Commands that are handed over (`server.handover`) are forked from it too, and are its own children. A process becomes the supervisor's own child, not the zygote's: it is forked by a process in between that ends at once, while the supervisor adopts
what becomes an orphan below it (PR_SET_CHILD_SUBREAPER).

Its heir is forked from it as well: it waits, without a beat, for its first order, which comes when this one has died, and then is the zygote.
"""

import gc
import logging
import os
import select
import signal
import socket
import sys
import time
from contextlib import suppress
from typing import NoReturn

import msgspec
from setproctitle import setproctitle

from haitang.base.declarations.loader import load_folders, owners_of
from haitang.base.errors import HaitangError
from haitang.base.settings import settings
from haitang.server import beat, handover
from haitang.server.discovery import load_kinds
from haitang.server.processes import ONCE, ZYGOTE, host, module, names
from haitang.server.supervisor.death import tie
from haitang.server.supervisor.zygote import Order

OWN_SIGNALS = True
LARGEST = 4096  # bytes of an order


def run() -> None:
    """Fork what is ordered until the supervisor is gone."""
    supervisor, orders = os.getppid(), _orders()
    _load()
    setproctitle(f"haitang {ZYGOTE} {settings().data}")
    _obey(orders, supervisor)


def _obey(orders: socket.socket, supervisor: int, *, heir: bool = False) -> None:
    """An heir neither beats nor takes commands before its first order, since another one does."""
    commands, ahead = None if heir else handover.listen(settings().run), False
    while True:
        if commands:
            beat.beat(settings().run, ZYGOTE)
        spoken = select.select([orders, commands] if commands else [orders], [], [], beat.EVERY if commands else None)[0]
        handover.reap()
        if commands and not spoken and not ahead:
            ahead = True
            _read_ahead()
        if commands in spoken:
            with suppress(OSError):
                handover.take(commands, orders)
        if orders not in spoken:
            continue
        told, given, *_ = socket.recv_fds(orders, LARGEST, 2)
        if not told:
            return
        commands = commands or handover.listen(settings().run)
        beat.beat(settings().run, ZYGOTE)
        born = _fork(msgspec.json.decode(told, type=Order), given, supervisor)
        for descriptor in given:
            os.close(descriptor)
        orders.send(str(born).encode("ascii"))


def _orders() -> socket.socket:
    """Where orders come in: the standard input, away from what a child gets there."""
    return socket.socket(fileno=os.dup(0))


def _load() -> None:
    from django.urls import get_resolver

    for name in (*ONCE, *names()):
        module(name)
    _ = get_resolver().url_patterns
    _freeze()


def _read_ahead() -> None:
    """Read the declarations, once nothing else is to do: `positions` keeps what it made of their texts, and what is forked from now on, commands above all, need not."""
    with suppress(HaitangError, OSError):  # whoever needs them says what is wrong with them
        load_kinds()
        load_folders(owners_of(settings()), checked=False)
    _freeze()


def _freeze() -> None:
    """The collector writes into what it looks at, and a page written to is shared no longer."""
    gc.collect()
    gc.freeze()


def _fork(order: Order, given: list[int], supervisor: int) -> int:
    """The process id of what was born."""
    read, write = os.pipe()
    between = os.fork()
    if between == 0:
        child = os.fork()
        if child == 0:
            _live(order, given, supervisor)
        os.write(write, str(child).encode("ascii"))
        os._exit(0)
    os.close(write)
    os.waitpid(between, 0)
    with os.fdopen(read, "rb") as answer:
        return int(answer.read() or 0)


def _live(order: Order, given: list[int], supervisor: int) -> NoReturn:
    """The whole life of a process. It ends without the interpreter's own end, which would wait for threads that a fork does not copy."""
    code = 1
    try:
        os.setsid()  # Ctrl-C reaches the supervisor alone, which stops the rest in order
        _open(*given)
        _be_adopted(order.until, supervisor)
        tie(signal.Signals(order.death), supervisor)
        setproctitle(f"haitang {order.name} {settings().data}")
        if order.name == ZYGOTE:
            _obey(_orders(), supervisor, heir=True)
        else:
            host.run(order.name)
        code = 0
    except SystemExit as end:
        code = end.code if isinstance(end.code, int) else 1
    except HaitangError as failure:
        print(f"{failure.sentence}  [{failure.code}]", file=sys.stderr)
    except BaseException:
        logging.getLogger(__name__).exception("process %s failed", order.name)
    finally:
        logging.shutdown()
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)


def _open(log: int, orders: int = -1) -> None:
    given = os.open(os.devnull, os.O_RDONLY) if orders < 0 else orders
    for descriptor, place in ((given, 0), (log, 1), (log, 2)):
        os.dup2(descriptor, place)
    os.closerange(3, 65536)


def _be_adopted(until: float, supervisor: int) -> None:
    """Wait for the process in between to end; one that the supervisor did not take, or no longer waits for, may not live."""
    while os.getppid() != supervisor and time.monotonic() <= until:
        time.sleep(0.001)
    if time.monotonic() > until:
        os._exit(1)
