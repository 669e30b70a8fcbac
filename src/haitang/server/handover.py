"""A command that a running instance carries out: forked from its zygote, which has everything loaded, instead of loading all of it for a second or two.

The command's process hands over its arguments, folder, environment and standard streams through a socket in `run/` that only its own user can open, waits, passes
signals on, and ends with the code that it is told. Where nobody answers, it does its work itself.

Both sides say something before anything is done: `READY`, then `GO`. So it is done by one of them, never by both.
"""

import contextlib
import os
import signal
import socket
import struct
import sys
import threading
import traceback
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NoReturn

import msgspec
from setproctitle import setproctitle

from haitang.base.errors import error

DIED = error("server.command_died", 500, "实例中执行这条命令的进程意外结束，不能确定是否已经完成。请核对结果后再决定是否重新执行。")
READY, GO = b"ready", b"go"
PATIENCE = 2.0  # seconds that either side waits for the other's next word before the command begins
LARGEST = 1 << 18  # bytes of what is handed over
_STREAMS = (0, 1, 2)
_PASSED_ON = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
_SOCKET = "commands"

arguments: list[str] | None = None  # those of this process where it is a command of its own, so that it may hand itself over


class Command(msgspec.Struct):
    """What a process was started with."""

    arguments: list[str]
    folder: str
    environment: dict[str, str]
    mask: int


def hand_over(run: Path) -> None:
    """Have the instance whose `run/` this is carry out the command and end with its code; returns where it cannot. Raises DIED."""
    if arguments is None:
        return
    passed_on: list[int] = []
    with contextlib.ExitStack() as open_ones:
        try:
            with _near(run) as at:
                asked = open_ones.enter_context(socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET))
                asked.settimeout(PATIENCE)
                asked.connect(at)
            socket.send_fds(asked, [msgspec.json.encode(_own())], _STREAMS)
            if asked.recv(16) != READY:
                return
            open_ones.enter_context(_passing_on(asked, passed_on))  # before the word: what has begun hears of every signal
            asked.send(GO)
        except (OSError, ValueError):  # nobody there, or something in the environment that is no text
            if passed_on:
                sys.exit(128 + passed_on[-1])
            return
        sys.exit(_code(asked, passed_on))


def _own() -> Command:
    assert arguments is not None
    mask = os.umask(0o077)
    os.umask(mask)
    return Command(arguments, os.getcwd(), dict(os.environ), mask)


@contextlib.contextmanager
def _passing_on(asked: socket.socket, passed_on: list[int]) -> Iterator[None]:
    """Signals go to the other side meanwhile, and are noted in `passed_on`."""

    def pass_on(number: int, _: object) -> None:
        passed_on.append(number)
        with contextlib.suppress(OSError):
            asked.send(str(number).encode("ascii"))

    before = {number: signal.signal(number, pass_on) for number in _PASSED_ON}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler or signal.SIG_DFL)


def _code(asked: socket.socket, passed_on: list[int]) -> int:
    asked.settimeout(None)
    if told := asked.recv(16):
        return int(told)
    if passed_on:
        return 128 + passed_on[-1]
    raise DIED()


@contextlib.contextmanager
def _near(run: Path) -> Iterator[str]:
    """A short path of the socket: an address has 108 bytes, a data directory may lie deeper."""
    folder = os.open(run, os.O_RDONLY | os.O_DIRECTORY)
    try:
        yield f"/proc/self/fd/{folder}/{_SOCKET}"
    finally:
        os.close(folder)


def listen(run: Path) -> socket.socket:
    """Where commands are handed over to this process."""
    listening = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    (run / _SOCKET).unlink(missing_ok=True)
    mask = os.umask(0o177)
    try:
        with _near(run) as at:
            listening.bind(at)
    finally:
        os.umask(mask)
    listening.listen(16)
    return listening


def take(listening: socket.socket, *others: socket.socket) -> None:
    """Fork the process of the command that asks; it closes the sockets of its parent. Raises OSError where that cannot be done now."""
    asking, _ = listening.accept()
    with asking:
        if os.fork() == 0:
            for each in (listening, *others):
                each.close()
            _live(asking)


def reap() -> None:
    """Let the processes of commands that have ended go."""
    with contextlib.suppress(ChildProcessError):
        while os.waitpid(-1, os.WNOHANG)[0]:
            pass


def _live(asking: socket.socket) -> NoReturn:
    """The whole life of a command's process. It ends as those that are forked from the zygote do."""
    code = 1
    try:
        try:
            command = _agreed(asking)
        except OSError:  # nobody to agree with: the other side does the work
            os._exit(code)
        _become(command)
        threading.Thread(target=_heed, args=(asking,), name="signals", daemon=True).start()
        code = _carried_out(command.arguments)
    except BaseException:
        traceback.print_exc()
    finally:
        with contextlib.suppress(Exception):
            sys.stdout.flush()
            sys.stderr.flush()
            asking.send(str(code).encode("ascii"))
        os._exit(code)


def _agreed(asking: socket.socket) -> Command:
    """What both sides agree on; raises where there is nobody to agree with, or somebody else than our own user."""
    asking.settimeout(PATIENCE)
    _, user, _ = struct.unpack("3i", asking.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, struct.calcsize("3i")))
    told, streams, *_ = socket.recv_fds(asking, LARGEST, len(_STREAMS))
    if user != os.geteuid() or len(streams) != len(_STREAMS):
        raise PermissionError("a command of another user")
    command = msgspec.json.decode(told, type=Command)
    for ours, theirs in zip(_STREAMS, streams, strict=True):
        os.dup2(theirs, ours)
        os.close(theirs)
    asking.send(READY)
    if asking.recv(16) != GO:
        raise ConnectionAbortedError("whoever handed it over did not wait")
    asking.settimeout(None)
    return command


def _become(command: Command) -> None:
    global arguments
    arguments = None  # what is carried out here is not handed over again
    setproctitle(f"haitang command {command.arguments[0] if command.arguments else ''}")  # or it would look like another zygote
    os.chdir(command.folder)
    os.umask(command.mask)
    os.environ.clear()
    os.environ.update(command.environment)
    sys.argv = ["haitang", *command.arguments]
    for name, number, mode in (("stdin", 0, "r"), ("stdout", 1, "w"), ("stderr", 2, "w")):
        setattr(sys, name, open(number, mode, encoding="utf-8", errors="surrogateescape", buffering=1, closefd=False))  # noqa: SIM115


def _heed(asking: socket.socket) -> None:
    """Signals that the other side passes on; its end is one too."""
    while True:
        try:
            told = asking.recv(16)
        except OSError:
            told = b""
        os.kill(os.getpid(), int(told) if told else signal.SIGTERM)
        if not told:
            return


def _carried_out(given: list[str]) -> int:
    from haitang.server.cli import main

    run: Callable[..., Any] = main
    try:
        run(args=given, prog_name="haitang")
    except SystemExit as end:
        return end.code if isinstance(end.code, int) else int(end.code is not None)
    return 0
