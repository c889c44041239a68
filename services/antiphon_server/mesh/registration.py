"""How a process keeps its services registered: the client's side of RegistryService."""

import asyncio
import logging
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING

import grpc

from antiphon.mesh.v1 import registry_service_pb2 as pb
from antiphon.mesh.v1.registry_service_pb2_grpc import RegistryServiceStub
from antiphon_server.mesh.encoding import announcement
from antiphon_server.mesh.instances import Announced, Key, State

if TYPE_CHECKING:  # it exists for the type checker alone
    from antiphon.mesh.v1.registry_service_pb2_grpc import RegistryServiceAsyncStub

RENEW_S = 0.5
TIMEOUT_S = 1.0
LEARN_S = 0.3
"""So long Envoys may take to learn that an instance is gone."""
_AWAY = (grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.DEADLINE_EXCEEDED)

log = logging.getLogger(__name__)


class Registration:
    """Announces this process's services, again and again, from ``begin`` on; ``run`` must run.

    ``instances`` says of each service what it is now, ``statements`` how it proves to be that
    service.
    """

    def __init__(
        self,
        channel: grpc.aio.Channel,
        instances: Mapping[str, Callable[[], Announced]],
        statements: Mapping[str, Callable[[], str]],
    ) -> None:
        self._stub: RegistryServiceAsyncStub = RegistryServiceStub(channel)
        self._instances = instances
        self._statements = statements
        self._state = State.SERVING
        self._reached = True
        self._was_there = False
        self._begun = asyncio.Event()
        self._forgotten = False
        self._renewing = asyncio.Lock()

    def begin(self) -> None:
        """Calls may come."""
        self._begun.set()

    async def run(self) -> None:
        """Announce all of them, until they are to be forgotten or it is cancelled."""
        await self._begun.wait()
        while not self._forgotten:
            async with self._renewing:
                await asyncio.gather(*map(self._announce, self._instances))
            await asyncio.sleep(RENEW_S)

    async def withdraw(self) -> None:
        """Say that no more calls are wanted, and wait until nobody sends any.

        Later announcements say the same, so that it is not forgotten what drains.
        """
        self._state = State.DRAINING
        if not self._begun.is_set():
            return
        async with self._renewing:
            await asyncio.gather(*map(self._announce, self._instances))
        if self._reached:
            await asyncio.sleep(LEARN_S)

    async def forget(self) -> None:
        """Be no longer registered: what is being announced comes before, and nothing after."""
        self._forgotten = True
        async with self._renewing:
            if self._reached and self._begun.is_set():
                await asyncio.gather(*map(self._forget, self._instances))

    async def _announce(self, service: str) -> None:
        try:
            instance = replace(self._instances[service](), state=self._state)
            request = pb.RegisterRequest(instance=announcement(instance))
            await self._stub.Register(request, metadata=self._headers(service), timeout=TIMEOUT_S)
        except grpc.aio.AioRpcError as error:
            self._lost(error)
        except Exception:  # a defect of one announcement ends none of those to come
            log.exception("%s could not be announced, which is tried on", service)
        else:
            self._found()

    async def _forget(self, service: str) -> None:
        key: Key = self._instances[service]().key
        request = pb.WithdrawRequest(service=key.service, node_id=key.node_id)
        try:
            await self._stub.Withdraw(request, metadata=self._headers(service), timeout=TIMEOUT_S)
        except grpc.aio.AioRpcError as error:
            self._lost(error)

    def _headers(self, service: str) -> tuple[tuple[str, str], ...]:
        return (("authorization", f"Bearer {self._statements[service]()}"),)

    def _lost(self, error: grpc.aio.AioRpcError) -> None:
        if self._reached:
            waits = not self._was_there and error.code() in _AWAY
            level = logging.INFO if waits else logging.WARNING  # it may not have come yet
            words = (error.code().name, error.details())
            log.log(level, "the registry does not answer: %s %s", *words)
        self._reached = False

    def _found(self) -> None:
        if not self._reached:
            log.info("the registry answers")
        self._reached = self._was_there = True


def registry_channel(
    address: str, credentials: grpc.ChannelCredentials | None = None, named: str = ""
) -> grpc.aio.Channel:
    """The way to a registry, which is tried again soon when it was away.

    Its certificate must be of the name in ``address``, or of the one that it is ``named``.
    """
    options: list[tuple[str, str | int]] = [
        ("grpc.initial_reconnect_backoff_ms", 100),
        ("grpc.max_reconnect_backoff_ms", 300),
        ("grpc.min_reconnect_backoff_ms", 1_000),
        ("grpc.use_local_subchannel_pool", 1),
    ]
    if credentials is not None:
        if named:
            options.append(("grpc.ssl_target_name_override", named))
        return grpc.aio.secure_channel(address, credentials, options)
    return grpc.aio.insecure_channel(address, options)
