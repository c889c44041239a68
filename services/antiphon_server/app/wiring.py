"""Every service in its place; nothing runs yet."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import grpc

from antiphon.auth.v1.policy_service_pb2_grpc import PolicyServiceStub
from antiphon.context.v1.context_service_pb2_grpc import ContextServiceStub
from antiphon.dispatcher.v1.dispatcher_service_pb2_grpc import DispatcherServiceStub
from antiphon_server.app.guards import guarded
from antiphon_server.app.links import ProcessLinks
from antiphon_server.auth.adapters.remote_policy import RemotePolicy
from antiphon_server.auth.descriptor import GuardingDescriptor
from antiphon_server.context.access_policy import ContextAccessPolicy
from antiphon_server.dispatcher.granted_turns import GrantedTurns
from antiphon_server.installation import all_methods, in_start_order
from antiphon_server.runtime.access.callers import CallersVerifier
from antiphon_server.runtime.access.grants import GrantTokens
from antiphon_server.runtime.access.rules import AccessPolicy
from antiphon_server.runtime.channels.local_channel import LocalServer
from antiphon_server.runtime.composition.descriptor import ServiceDescriptor
from antiphon_server.runtime.composition.infrastructure import Infrastructure
from antiphon_server.runtime.composition.links import Guards
from antiphon_server.runtime.composition.service import Service
from antiphon_server.settings import Settings

if TYPE_CHECKING:
    from antiphon_server.auth.compose.auth import Auth
    from antiphon_server.auth.compose.guarding import Guarding

AnyService = GuardingDescriptor | ServiceDescriptor[Settings]
"""What can be put together from the settings of a process."""


@dataclass(frozen=True, slots=True)
class Services:
    """Those of this process, ``running``, in the order of their start.

    ``table`` is what clients call; ``guarding`` knows who they are. ``auth`` is None where it runs
    elsewhere. ``methods`` are the full names of all RPCs of the installation, and of those that
    each process has.
    """

    running: tuple[Service, ...]
    auth: "Auth | None"
    guarding: "Guarding"
    table: LocalServer
    links: ProcessLinks
    methods: Callable[[], Iterable[str]]

    def streams(self) -> int:
        """How many streams clients have open."""
        return sum(each.streams() for each in self.running)

    async def stop_local_calls(self) -> None:
        """End the streams between services."""
        for server in (self.table, *self.links.servers):
            await server.stop(None)


def compose(
    settings: Settings, infrastructure: Infrastructure, known: Sequence[AnyService]
) -> Services:
    """The services of this process, each with what it needs of the others."""
    here = [each for each in in_start_order(known) if each.name in settings.services]
    links = ProcessLinks(settings, infrastructure, known)
    free = links.of_guards()
    roles = ContextAccessPolicy(ContextServiceStub(free))
    policy = _with_engine(roles, infrastructure.engine)
    auth = _auth(settings, infrastructure, links, here)
    guarding = auth or _elsewhere(settings, free)
    callers = CallersVerifier(
        guarding.verifier,
        GrantTokens(infrastructure.secret),
        GrantedTurns(DispatcherServiceStub(free)),
    )
    table = guarded(settings, infrastructure, guarding, callers, policy, links.counted)

    def methods() -> set[str]:
        return {*all_methods(known), *table.names()}

    guards = Guards(
        callers,
        guarding.verifier,
        policy,
        roles,
        guarding.on_session_end,
        guarding.on_keys_withdrawn,
    )
    running: list[Service] = []
    for each in here:
        if isinstance(each, ServiceDescriptor):
            ways = links.of(each, table)
            running.append(each.composition()(settings, infrastructure, ways, guards))
        elif auth is not None:
            running.append(each.serve(auth, policy, methods))
    for server in (table, *links.servers):
        for service in running:
            service.register(server)
    return Services(tuple(running), auth, guarding, table, links, methods)


def _auth(
    settings: Settings,
    infrastructure: Infrastructure,
    links: ProcessLinks,
    here: Iterable[AnyService],
) -> "Auth | None":
    for each in here:
        if isinstance(each, GuardingDescriptor):
            return each.compose(settings, infrastructure, links.internal(each))
    return None


def _elsewhere(settings: Settings, auth: grpc.aio.Channel) -> "Guarding":
    from antiphon_server.auth.compose.remote_auth import compose_elsewhere

    return compose_elsewhere(auth, settings.auth.tokens, settings.services[0])


def _with_engine(roles: AccessPolicy, engine: grpc.aio.Channel | None) -> AccessPolicy:
    return RemotePolicy(roles, PolicyServiceStub(engine)) if engine is not None else roles
