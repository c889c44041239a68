"""Ports of programs that can't pick their own."""

import socket
import sys
from collections import deque

HOST = "127.0.0.1"
MOST_KEPT = 64

_kept: deque[socket.socket] = deque()


def kept_port(host: str = HOST, port: int = 0) -> int:
    """The ``port``, or a free one in place of 0, for a program that this one starts to listen on.

    It stays bound by this process, which does not listen: so Linux gives it to no connection and
    to no other program that wants any port, and to one that asks for it by number, with
    SO_REUSEADDR as Envoy, Postgres and Valkey do (bind conflicts: net/ipv4/inet_connection_sock.c).
    Elsewhere, and when 64 more were picked, whoever is quicker may take it.

    Raises OSError if somebody listens there, or nobody may.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family) as bound:
        bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if family is socket.AF_INET6:
            bound.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
        bound.bind((host, port))
        found: int = bound.getsockname()[1]
        if sys.platform == "linux":
            _keep(bound.dup())
    return found


def _keep(bound: socket.socket) -> None:
    _kept.append(bound)
    if len(_kept) > MOST_KEPT:
        _kept.popleft().close()
