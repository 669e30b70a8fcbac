"""Which addresses may be connected to, and a connection pinned to the address that was judged.

An outside address is refused where it, or anything that its name resolves to, is not a public one: loopback, private, link-local (the metadata services of clouds), shared
(100.64.0.0/10), multicast, reserved, and IPv6 forms that carry such an IPv4 address. The setting `outgoing_allow` lists networks and names that are allowed all the same; in a closed
network it names that network. The name is resolved once and the connection goes to what was judged, so that a second answer of the name service (DNS rebinding) changes nothing;
TLS still checks the certificate against the name.
"""

import socket
import ssl
from collections.abc import Iterable
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network
from typing import Any

import httpcore
import httpx

from haitang.base.settings import BAD_SETTING, settings

LARGEST = 4 << 20  # an answer of a token, key, time-stamp or chat service is a few kilobytes
SECONDS = 10.0
_NAT64 = ip_network("64:ff9b::/96")
Address = IPv4Address | IPv6Address
Network = IPv4Network | IPv6Network


class AddressRefused(httpcore.ConnectError):
    """The address is not a public one and not allowed; the sentence says which and what to set."""


def allowed() -> tuple[list[Network], set[str]]:
    """Networks and names of the setting `outgoing_allow`; raises BAD_SETTING for a network that is none."""
    networks, names = [], set()
    for word in settings().outgoing_allow.replace(",", " ").split():
        try:
            networks.append(ip_network(word, strict=False))
        except ValueError:
            if "/" in word:
                raise BAD_SETTING(name="HAITANG_OUTGOING_ALLOW", value=word, reason="不是网段（写成 10.0.0.0/8）") from None
            names.add(word.lower().rstrip("."))
    return networks, names


def _carried(address: Address) -> Address:
    """The IPv4 address that an IPv6 form carries, else the address itself."""
    if isinstance(address, IPv4Address):
        return address
    if address in _NAT64:
        return IPv4Address(int(address) & 0xFFFFFFFF)
    teredo = address.teredo
    return address.ipv4_mapped or address.sixtofour or (teredo[1] if teredo else None) or address


def is_public(address: Address) -> bool:
    """Whether an address is one of the public Internet, whatever form it is written in."""
    meant = _carried(address)
    return meant.is_global and not meant.is_multicast


def addresses(host: str, port: int) -> list[str]:
    """What `host` resolves to, all of it allowed. Raises AddressRefused; httpcore.ConnectError where the name has no address."""
    networks, names = allowed()
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError) as failure:
        raise httpcore.ConnectError(f"{host}: {failure}") from None
    told = list(dict.fromkeys(str(each[4][0]) for each in found))
    if host.lower().rstrip(".") not in names:
        for text in told:
            _judge(host, ip_address(text.partition("%")[0]), networks)
    return told


def _judge(host: str, address: Address, networks: Iterable[Network]) -> None:
    meant = _carried(address)
    if is_public(address) or any(each in network for network in networks for each in (address, meant) if each.version == network.version):
        return
    raise AddressRefused(
        f"{host} 指向 {address}，不是公网地址，已拒绝连接。确需连接时把该网段或主机名写入 HAITANG_OUTGOING_ALLOW（a private address; add it to HAITANG_OUTGOING_ALLOW to allow it）。"
    )


def connect(host: str, port: int, timeout: float | None, source: tuple[str, int] | None = None) -> socket.socket:
    """A TCP connection to one of the allowed addresses of `host`; raises OSError, AddressRefused among them as ConnectionRefusedError."""
    try:
        told = addresses(host, port)
    except httpcore.ConnectError as refused:
        raise ConnectionRefusedError(str(refused)) from refused
    last: OSError | None = None
    for each in told:
        try:
            return socket.create_connection((each, port), timeout=timeout, source_address=source)
        except OSError as failure:
            last = failure
    raise last or ConnectionRefusedError(host)


class Pinned(httpcore.NetworkBackend):
    """Opens connections to judged addresses only."""

    def __init__(self) -> None:
        self._real = httpcore.SyncBackend()

    def connect_tcp(
        self, host: str, port: int, timeout: float | None = None, local_address: str | None = None, socket_options: Any = None
    ) -> httpcore.NetworkStream:
        last: Exception | None = None
        for each in addresses(host, port):
            try:
                return self._real.connect_tcp(each, port, timeout, local_address, socket_options)
            except (httpcore.ConnectError, httpcore.ConnectTimeout) as failure:
                last = failure
        raise last or httpcore.ConnectError(host)


class Transport(httpx.HTTPTransport):
    """httpx over pinned connections; no proxy of the environment, no Unix socket."""

    def __init__(self) -> None:
        super().__init__(trust_env=False)
        self._pool = httpcore.ConnectionPool(ssl_context=ssl.create_default_context(), network_backend=Pinned())


def request(method: str, url: str | httpx.URL, *, timeout: float = SECONDS, **more: Any) -> httpx.Response:
    """One request to outside: pinned, no redirect followed, the answer no larger than LARGEST. Raises httpx.HTTPError."""
    with (
        httpx.Client(transport=Transport(), trust_env=False, follow_redirects=False, timeout=timeout) as client,
        client.stream(method, url, **more) as answer,
    ):
        body = bytearray()
        for piece in answer.iter_bytes():
            body += piece
            if len(body) > LARGEST:
                raise httpx.ReadError(f"answer larger than {LARGEST} bytes", request=answer.request)
        kept = [(name, value) for name, value in answer.headers.multi_items() if name not in ("content-encoding", "content-length")]
        return httpx.Response(answer.status_code, headers=kept, content=bytes(body), request=answer.request)


def get(url: str | httpx.URL, **more: Any) -> httpx.Response:
    return request("GET", url, **more)


def post(url: str | httpx.URL, **more: Any) -> httpx.Response:
    return request("POST", url, **more)


def reason_of(failure: Exception) -> str:
    """Why a request failed, without the address, which may hold a token; a refused address says what to set."""
    cause: BaseException | None = failure
    while cause is not None:
        if isinstance(cause, AddressRefused):
            return str(cause)
        cause = cause.__cause__
    return type(failure).__name__
