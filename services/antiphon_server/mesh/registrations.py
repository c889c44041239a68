"""Registered at every edge: each has a registry of its own, behind one name."""

import asyncio
import ipaddress
import logging
import socket
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass

import grpc

from antiphon_server.mesh.model import Address
from antiphon_server.mesh.registration import Registration, registry_channel
from antiphon_server.runtime.net.loopback import is_loopback

LOOK_S = 2.0
LookUp = Callable[[str, int], Awaitable[set[str]]]
"""The IP addresses of a name, each of another machine; raises OSError."""
log = logging.getLogger(__name__)


async def look_up(host: str, port: int) -> set[str]:
    """As the system has it."""
    found = await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_STREAM)
    addresses = {str(each[4][0]) for each in found}
    near = sorted(filter(is_loopback, addresses))  # localhost has two, and listens at one
    return addresses - set(near[1:])


@dataclass(frozen=True, slots=True)
class _Place:
    """One registry: the way there, and the task that announces."""

    channel: grpc.aio.Channel
    registration: Registration
    task: asyncio.Task[None]


class Registrations:
    """Keeps a process registered at each address that a name has, from ``begin`` on.

    ``registry`` is ``host:port``; ``run`` must be running. The name is looked up again and again:
    a new edge is told within seconds, and one that is gone is no longer asked.
    """

    def __init__(
        self,
        registry: str,
        register: Callable[[grpc.aio.Channel], Registration],
        credentials: grpc.ChannelCredentials | None = None,
        look_up: LookUp = look_up,
        look_s: float = LOOK_S,
    ) -> None:
        host, _, port = registry.rpartition(":")
        self._host, self._port = host.strip("[]"), int(port)
        self._register = register
        self._credentials = credentials
        self._look_up = look_up
        self._look_s = look_s
        self._places: dict[str, _Place] = {}
        self._begun = asyncio.Event()
        self._found = True
        self._withdrawn = False

    def begin(self) -> None:
        """Calls may come."""
        self._begun.set()

    async def run(self) -> None:
        """Announce everywhere, until cancelled."""
        await self._begun.wait()
        try:
            while True:
                await self._follow(await self._addresses())
                await asyncio.sleep(self._look_s)
        finally:
            await _cancelled([each.task for each in self._places.values()])

    async def withdraw(self) -> None:
        """See :meth:`Registration.withdraw`; everywhere at once. A later edge is told nothing."""
        self._withdrawn = True
        await asyncio.gather(*(each.registration.withdraw() for each in self._places.values()))

    async def forget(self) -> None:
        """See :meth:`Registration.forget`; everywhere at once."""
        await asyncio.gather(*(each.registration.forget() for each in self._places.values()))

    async def close(self) -> None:
        """Leave all channels."""
        await asyncio.gather(*(each.channel.close() for each in self._places.values()))

    async def _follow(self, addresses: set[str]) -> None:
        if not self._withdrawn:
            for address in addresses - self._places.keys():
                self._places[address] = self._opened(address)
        if not addresses:  # a name that can't be looked up now leads where it did
            return
        gone = [self._places.pop(each) for each in self._places.keys() - addresses]
        await _cancelled([each.task for each in gone])
        for each in gone:
            await each.channel.close()

    def _opened(self, address: str) -> _Place:
        named = self._host if address != self._host else ""
        channel = registry_channel(str(Address(address, self._port)), self._credentials, named)
        registration = self._register(channel)
        registration.begin()
        return _Place(channel, registration, asyncio.create_task(registration.run()))

    async def _addresses(self) -> set[str]:
        with suppress(ValueError):
            return {str(ipaddress.ip_address(self._host))}
        try:
            found = await self._look_up(self._host, self._port)
        except OSError as error:
            if self._found:
                log.warning("the registry's name %s is not known: %s", self._host, error)
            self._found = False
            return set()
        self._found = True
        return found


async def _cancelled(tasks: list[asyncio.Task[None]]) -> None:
    for task in tasks:
        task.cancel()
    if tasks:
        await asyncio.wait(tasks)
