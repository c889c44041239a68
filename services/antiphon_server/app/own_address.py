"""Where others reach this process."""

import asyncio
import ipaddress
import logging
import socket
from collections.abc import Awaitable, Callable

from antiphon_server.runtime.concurrency.retry import retrying
from antiphon_server.runtime.concurrency.retry_policies import LATER
from antiphon_server.runtime.configuration import WrongSetting, host_and_port
from antiphon_server.settings import Settings

KNOWN_WITHIN_S = 60.0
"""A cluster's names know of a new server some time after it began, and resolvers remember that
there was none for half a minute."""
Ip = ipaddress.IPv4Address | ipaddress.IPv6Address
LookUp = Callable[[str], Awaitable[str]]
"""An IP address of a name. Raises OSError."""
log = logging.getLogger(__name__)


async def look_up(host: str) -> str:
    """As the system has it."""
    found = await asyncio.get_running_loop().getaddrinfo(host, None, type=socket.SOCK_STREAM)
    return str(found[0][4][0])


async def advertised_address(
    settings: Settings, look_up: LookUp = look_up, within_s: float = KNOWN_WITHIN_S
) -> tuple[str, int]:
    """An IP address, and a port or 0 for the one that the process opens. Raises WrongSetting."""
    host, port = settings.host, 0
    if settings.node_address:
        host, port = host_and_port("node_address", settings.node_address)
    ip = await _ip(host, look_up, within_s)
    if ip.is_unspecified:  # a container knows its own address by its name
        ip = await _ip(socket.gethostname(), look_up, within_s)
        if ip.is_loopback:
            raise WrongSetting(
                f"node_address: say at which address others reach this server: it listens on {host}"
            )
    return str(ip), port


async def _ip(host: str, look_up: LookUp, within_s: float) -> Ip:
    try:
        return ipaddress.ip_address(host)
    except ValueError:
        return ipaddress.ip_address(await _known(host, look_up, within_s))


async def _known(host: str, look_up: LookUp, within_s: float) -> str:
    async def say(error: OSError, failures: int) -> None:
        if failures == 1:
            log.warning("waiting until %s is known: %s", host, error)

    try:
        async with asyncio.timeout(within_s):
            return await retrying(lambda: look_up(host), LATER, OSError, on_wait=say)
    except TimeoutError:
        raise WrongSetting(f"node_address: nobody knows the address of {host}") from None


def own_address(settings: Settings, port: int) -> str:
    """Where others reach the port, as far as this process can tell."""
    if settings.node_address:
        return settings.node_address
    name = socket.gethostname() if settings.host in ("0.0.0.0", "::") else settings.host
    return f"[{name}]:{port}" if ":" in name else f"{name}:{port}"
