"""RegistryService: the contract's messages <-> the registry."""

import asyncio
from collections.abc import Callable
from typing import Any

import grpc

from antiphon.mesh.v1 import registry_service_pb2 as pb
from antiphon.mesh.v1.instance_pb2 import Instance
from antiphon.mesh.v1.registry_service_pb2_grpc import RegistryServiceServicer
from antiphon_server.mesh.encoding import announced, registered
from antiphon_server.mesh.instances import Announced, Key, Registered, Seen
from antiphon_server.mesh.registry import LEASE_S, RENEW_S, Registry
from antiphon_server.runtime.access.permissions import Permission
from antiphon_server.runtime.access.principal import current_principal
from antiphon_server.runtime.errors import DomainError, Reason
from antiphon_server.runtime.rpc.access_recheck import AccessRecheck
from antiphon_server.runtime.rpc.paging import decode_page_token, encode_page_token, page_limit
from antiphon_server.runtime.rpc.slow_readers import TimedWriter

LISTED = "instances"
WATCH = "/antiphon.mesh.v1.RegistryService/WatchInstances"
MOST_WATCHES = 64
QUIET_S = 5.0
_MS = 1000


class RegistryServicer(RegistryServiceServicer):
    """Serves the registry.

    ``seen`` says what an edge sees of an instance, ``recheck`` who may go on watching.
    """

    def __init__(
        self, registry: Registry, seen: Callable[[Announced], Seen | None], recheck: AccessRecheck
    ) -> None:
        self._registry = registry
        self._seen = seen
        self._recheck = recheck
        self._watches = 0
        self._draining = asyncio.Event()

    async def Register(self, request: pb.RegisterRequest, context: Any) -> pb.RegisterResponse:
        _only_oneself(request.instance.service)
        self._registry.register(announced(request.instance))
        return pb.RegisterResponse(
            renew_after_ms=round(RENEW_S * _MS), lease_ms=round(LEASE_S * _MS)
        )

    async def Withdraw(self, request: pb.WithdrawRequest, context: Any) -> pb.WithdrawResponse:
        _only_oneself(request.service)
        self._registry.withdraw(Key(request.service, request.node_id))
        return pb.WithdrawResponse()

    async def ListInstances(
        self, request: pb.ListInstancesRequest, context: Any
    ) -> pb.ListInstancesResponse:
        position = decode_page_token(request.page_token, LISTED, fields=2)
        after = Key(*position) if position else Key("", "")
        limit = page_limit(request.page_size, default=200)
        known = [one for one in self._registry.instances() if one.announced.key > after]
        last = known[limit - 1].announced.key if len(known) > limit else None
        return pb.ListInstancesResponse(
            instances=map(self._told, known[:limit]),
            next_page_token=encode_page_token(LISTED, last.service, last.node_id) if last else "",
        )

    async def WatchInstances(  # type: ignore[override]
        self,
        request: pb.WatchInstancesRequest,
        context: "grpc.aio.ServicerContext[pb.WatchInstancesRequest, pb.WatchInstancesResponse]",
    ) -> None:
        if self._watches >= MOST_WATCHES:
            raise DomainError(Reason.LIMIT_EXCEEDED, limit=f"{MOST_WATCHES} watches a server")
        self._watches += 1
        try:
            with TimedWriter(context) as writer:
                await self._recheck.during(context, "", self._watching(writer))
        finally:
            self._watches -= 1

    async def _watching(self, writer: TimedWriter) -> None:
        while not self._draining.is_set():
            version = self._registry.version
            known = map(self._told, self._registry.instances())
            await writer.write(pb.WatchInstancesResponse(instances=known))
            await self._change_after(version)
        raise DomainError(Reason.DRAINING)

    async def drain(self) -> None:
        """End all watches: the server stops."""
        self._draining.set()

    def _told(self, known: Registered) -> Instance:
        return registered(known, self._seen(known.announced))

    async def _change_after(self, version: int) -> None:
        """Wait for a change, for the time to send load again, or for the end."""
        waits = [
            asyncio.ensure_future(self._registry.later_than(version)),
            asyncio.ensure_future(self._draining.wait()),
        ]
        try:
            await asyncio.wait(waits, timeout=QUIET_S, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for wait in waits:
                wait.cancel()
            await asyncio.gather(*waits, return_exceptions=True)


def _only_oneself(service: str) -> None:
    """A service speaks for itself alone."""
    if current_principal().user_id != service:
        raise DomainError(Reason.PERMISSION_DENIED, permission=Permission.INTERNAL.name)
