"""Free TCP ports. The kernel hands those above 32767 to outgoing connections."""

import random
import socket
from collections.abc import Container, Iterable

EPHEMERAL_START = 32768


def is_free(port: int, host: str = "127.0.0.1") -> bool:
    """Whether a server could listen on ``port`` now."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError:
            return False
        return True


def first_free_port(start: int, taken: Container[int] = ()) -> int:
    """The first free port from ``start`` upwards that is not in ``taken``."""
    return _first(range(start, EPHEMERAL_START), taken)


def any_free_port(taken: Container[int] = ()) -> int:
    """A free port chosen at random, so that two runs on one machine seldom want the same."""
    ports = list(range(20_000, EPHEMERAL_START))
    random.shuffle(ports)
    return _first(ports, taken)


def _first(ports: Iterable[int], taken: Container[int]) -> int:
    for port in ports:
        if port not in taken and is_free(port):
            return port
    raise OSError("no free TCP port below 32768")
