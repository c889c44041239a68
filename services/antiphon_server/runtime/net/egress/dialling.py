"""A host is looked up once, every address is checked, and one of those is connected to."""

import asyncio
import socket
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import cache, partial
from typing import Protocol

from antiphon_server.runtime.net.egress.policy import EgressPolicy

CONNECT_TIMEOUT_S = 5.0
MOST_LOOK_UPS = 16


@cache
def _lookers() -> ThreadPoolExecutor:
    return ThreadPoolExecutor(MOST_LOOK_UPS, thread_name_prefix="egress-names")


class Resolve(Protocol):
    """Looks a name up."""

    async def __call__(self, host: str, port: int) -> Sequence[str]:
        """Every address of a name, best first. Raises OSError if it has none."""
        ...


async def look_up(host: str, port: int) -> Sequence[str]:
    """The addresses by which this machine knows a name. Raises OSError.

    A look-up that is given up keeps its thread for as long as the system asks, so it has threads
    of its own: names that nobody answers for hold up each other, and nothing else.
    """
    loop = asyncio.get_running_loop()
    ask = partial(socket.getaddrinfo, host, port, type=socket.SOCK_STREAM)
    found = await loop.run_in_executor(_lookers(), ask)
    return list(dict.fromkeys(str(where[0]) for *_, where in found))


@dataclass(frozen=True, slots=True)
class Dialler:
    """Connects to where a policy allows."""

    policy: EgressPolicy
    resolve: Resolve = look_up

    async def vetted(self, host: str, port: int) -> Sequence[str]:
        """The addresses to connect to in place of the host, all checked.

        One address that is refused refuses the host: who answers with it means no good.
        Raises DomainError EGRESS_DENIED, OSError.
        """
        address = self.policy.check_host(host)
        if address is not None:
            return (str(address),)
        found = await self.resolve(host, port)
        for each in found:
            self.policy.check_address(host, each)
        if not found:
            raise OSError(f"{host} has no address")
        return found

    async def connect(
        self, host: str, port: int, timeout: float = CONNECT_TIMEOUT_S
    ) -> socket.socket:
        """A connected socket that does not block, within ``timeout`` seconds in all.

        Raises DomainError EGRESS_DENIED, OSError, TimeoutError.
        """
        async with asyncio.timeout(timeout):
            failed: OSError | None = None
            for address in await self.vetted(host, port):
                try:
                    return await _connected(address, port)
                except OSError as error:
                    failed = error
        raise failed or OSError(f"{host} has no address")


async def _connected(address: str, port: int) -> socket.socket:
    found = socket.socket(socket.AF_INET6 if ":" in address else socket.AF_INET)
    try:
        found.setblocking(False)
        found.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        await asyncio.get_running_loop().sock_connect(found, (address, port))
    except BaseException:
        found.close()
        raise
    return found


def grpc_target(
    host: str, port: int, addresses: Sequence[str]
) -> tuple[str, list[tuple[str, int | str]]]:
    """What a gRPC channel dials for a host that was vetted, and its options: it stays that host
    for TLS and for the server, and no proxy of the environment stands between.
    """
    authority = f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
    kind = "ipv6" if ":" in addresses[0] else "ipv4"
    same = [each for each in addresses if (":" in each) == (kind == "ipv6")]
    places = ",".join(f"[{each}]:{port}" if ":" in each else f"{each}:{port}" for each in same)
    options: list[tuple[str, int | str]] = [
        ("grpc.default_authority", authority),
        ("grpc.ssl_target_name_override", host),
        ("grpc.enable_http_proxy", 0),
    ]
    return f"{kind}:{places}", options
