"""A line to the district that can be cut and mended, as a network is: what is open breaks, what is new is refused."""

import contextlib
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager

from tests.ports import free_port


class Relay:
    """Passes bytes between `url` and the district's port while it is up."""

    def __init__(self, port: int) -> None:
        self._port, self._open = port, list[socket.socket]()
        self._own = free_port()  # kept while the line is cut, when nobody listens there
        self._door = socket.create_server(("127.0.0.1", self._own))
        self.url = f"http://127.0.0.1:{self._own}"
        self._listen()

    def _listen(self) -> None:
        threading.Thread(target=self._accept, args=(self._door,), daemon=True).start()

    def _accept(self, door: socket.socket) -> None:
        with contextlib.suppress(OSError):
            while True:
                near, _ = door.accept()
                far = socket.create_connection(("127.0.0.1", self._port))
                self._open += [near, far]
                for one, other in ((near, far), (far, near)):
                    threading.Thread(target=_pass, args=(one, other), daemon=True).start()

    def cut(self) -> None:
        for each in (self._door, *self._open):
            with contextlib.suppress(OSError):
                each.shutdown(socket.SHUT_RDWR)
            each.close()
        self._open.clear()

    def mend(self) -> None:
        self._door = socket.create_server(("127.0.0.1", self._own))
        self._listen()


def _pass(one: socket.socket, other: socket.socket) -> None:
    with contextlib.suppress(OSError):
        while data := one.recv(65536):
            other.sendall(data)
    for each in (one, other):
        with contextlib.suppress(OSError):
            each.shutdown(socket.SHUT_RDWR)


@contextmanager
def relay(url: str) -> Iterator[Relay]:
    made = Relay(int(url.rpartition(":")[2]))
    try:
        yield made
    finally:
        made.cut()
