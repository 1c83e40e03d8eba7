"""Which sockets a loop on simulated time may use: those whose other end is served by the same loop."""

import asyncio
import selectors
import socket
from collections.abc import Callable, Iterable, Iterator
from functools import cache
from typing import Any, TypeAlias, cast

from scenario.errors import ConfigurationError

Address: TypeAlias = Any
"""An address as `socket` gives it: a tuple of host, port and more, or the path of a UNIX socket."""

_WILDCARDS = {"0.0.0.0", "::", ""}
_LOCAL_NAMES = {None, "", "localhost", "127.0.0.1", "::1", "0.0.0.0", "::"}


class SimulatedNetwork:
    """The addresses served by one loop. Closed servers stay known: connecting to them fails as it really does."""

    def __init__(self) -> None:
        self._served: set[Any] = set()

    def serve(self, sockets: Iterable[socket.socket]) -> None:
        """Know these listening sockets as served by the loop."""
        for listening in sockets:
            self._served.add(_place(listening.getsockname()))

    def is_served(self, address: Address) -> bool:
        """Whether an address is served by the loop."""
        place = _place(address)
        if not isinstance(place, tuple):
            return place in self._served
        host, port = cast("tuple[str, int]", place)
        if host in _WILDCARDS:
            return any(served_port == port for _, served_port in self._served_ports())
        return place in self._served or any((wildcard, port) in self._served for wildcard in _WILDCARDS)

    def _served_ports(self) -> Iterator[tuple[str, int]]:
        return (cast("tuple[str, int]", place) for place in self._served if isinstance(place, tuple))

    def check(self, address: Address) -> None:
        """Refuse an address that is not served by the loop.

        Raises:
            ConfigurationError: If it is not.
        """
        if not self.is_served(address):
            raise refused(f"a connection to {_shown(address)}")

    def check_host(self, host: Any) -> None:
        """Refuse a host that cannot be this machine, before its name is looked up.

        Raises:
            ConfigurationError: If it cannot.
        """
        name = host.decode("ascii", "replace") if isinstance(host, bytes) else host
        if name not in _LOCAL_NAMES and not name.startswith("127.") and not name.endswith(".localhost"):
            raise refused(f"a connection to {name}")

    def check_socket(self, peer: socket.socket) -> None:
        """Refuse a connected socket neither of whose ends is served by the loop.

        Raises:
            ConfigurationError: If neither is.
        """
        try:
            far_end = peer.getpeername()
        except OSError:  # not connected: a listening socket, or one that is about to be connected
            return
        if not self.is_served(far_end) and not self.is_served(peer.getsockname()):
            raise refused(f"a socket connected to {_shown(far_end)}")


class FencedDatagrams(asyncio.DatagramProtocol):
    """Hands a protocol a transport that sends only to addresses served by the loop.

    Args:
        inner: The protocol.
        network: The addresses.

    Attributes:
        inner: The protocol.
        transport: The transport it was given.
    """

    def __init__(self, inner: asyncio.DatagramProtocol, network: SimulatedNetwork) -> None:
        self.inner = inner
        self.transport: asyncio.DatagramTransport | None = None
        self._network = network

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Give the protocol its transport."""
        open_end = cast("asyncio.DatagramTransport", transport)  # a datagram endpoint makes no other kind
        self.transport = _FencedTransport(open_end, self._network)
        self._network.serve([transport.get_extra_info("socket")])
        self.inner.connection_made(self.transport)

    def connection_lost(self, exc: Exception | None) -> None:
        """Pass it on."""
        self.inner.connection_lost(exc)

    def pause_writing(self) -> None:
        """Pass it on."""
        self.inner.pause_writing()

    def resume_writing(self) -> None:
        """Pass it on."""
        self.inner.resume_writing()

    def datagram_received(self, data: bytes, addr: Address) -> None:
        """Pass it on."""
        self.inner.datagram_received(data, addr)

    def error_received(self, exc: Exception) -> None:
        """Pass it on."""
        self.inner.error_received(exc)


class _FencedTransport(asyncio.DatagramTransport):
    def __init__(self, inner: asyncio.DatagramTransport, network: SimulatedNetwork) -> None:
        super().__init__()
        self._inner = inner
        self._network = network

    def sendto(self, data: bytes | bytearray | memoryview, addr: Address = None) -> None:
        if addr is not None:
            self._network.check(addr)
        self._inner.sendto(data, addr)

    def get_extra_info(self, name: str, default: Any = None) -> Any:
        return self._inner.get_extra_info(name, default)

    def is_closing(self) -> bool:
        return self._inner.is_closing()

    def close(self) -> None:
        self._inner.close()

    def abort(self) -> None:
        self._inner.abort()

    def set_protocol(self, protocol: asyncio.BaseProtocol) -> None:
        self._inner.set_protocol(protocol)

    def get_protocol(self) -> asyncio.BaseProtocol:
        return self._inner.get_protocol()


def refused(what: str) -> ConfigurationError:
    """Return the error of something that a loop on simulated time cannot wait for."""
    return ConfigurationError(
        f"{what} was asked for on simulated time, and its other end lives in real time",
        "serve it from the same loop (a LocalModelServer takes `own_thread=False`), use an offline model or a "
        "stand-in, or run the test on an ordinary loop",
    )


def has_bytes_under_way(selector: selectors.BaseSelector) -> bool:
    """Whether a socket of the loop has sent something that has not arrived yet."""
    descriptors = [descriptor for descriptor in selector.get_map() if isinstance(descriptor, int)]
    if len(descriptors) <= 1:  # the loop's own wake-up socket
        return False
    has_unsent = _probe_for_unsent_bytes()
    return has_unsent is None or any(map(has_unsent, descriptors))


@cache
def _probe_for_unsent_bytes() -> Callable[[int], bool] | None:
    try:
        from fcntl import ioctl
        from termios import TIOCOUTQ
    except ImportError:  # Windows cannot be asked
        return None

    def has_unsent_bytes(descriptor: int) -> bool:
        try:
            return any(ioctl(descriptor, TIOCOUTQ, bytes(4)))
        except OSError:  # what listens has nothing to send
            return False

    return has_unsent_bytes


def _place(address: Address) -> Any:
    if not isinstance(address, tuple):
        return address.decode("utf-8", "surrogateescape") if isinstance(address, bytes) else address
    host, port = cast("tuple[str, int]", address[:2])
    return host.removeprefix("::ffff:"), port


def _shown(address: Address) -> str:
    place = _place(address)
    return f"{place[0]}:{place[1]}" if isinstance(place, tuple) else str(place) or "an unnamed socket"
