"""The auth service as the installation knows it.

It is the one service that guards the calls of the others. So a process that runs it puts it
together before its guards, and all others behind them.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from antiphon_server.runtime.composition.descriptor import Descriptor, Schema

if TYPE_CHECKING:
    import grpc
    from google.protobuf.descriptor import FileDescriptor

    from antiphon_server.auth.compose.settings import AuthSettings
    from antiphon_server.auth.compose.whole import Auth
    from antiphon_server.auth.model.identity_providers import IdentityProviderSettings
    from antiphon_server.auth.service.alarms import AlarmSettings
    from antiphon_server.runtime.access.rules import AccessPolicy
    from antiphon_server.runtime.composition.infrastructure import Infrastructure
    from antiphon_server.runtime.composition.service import Service


class ProcessSettings(Protocol):
    """What of a process's settings the service reads."""

    @property
    def data_dir(self) -> Path: ...
    @property
    def access_token_minutes(self) -> int: ...
    @property
    def session_idle_days(self) -> int: ...
    @property
    def session_days(self) -> int: ...
    @property
    def signing_key_days(self) -> int: ...
    @property
    def breached_passwords_file(self) -> Path | None: ...
    @property
    def identity_providers(self) -> "Sequence[IdentityProviderSettings]": ...
    @property
    def alarms(self) -> "AlarmSettings": ...
    @property
    def test_users(self) -> bool: ...
    @property
    def shares_store(self) -> bool: ...
    @property
    def elsewhere(self) -> Sequence[str]: ...
    @property
    def all_services(self) -> Sequence[str]: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class GuardingDescriptor(Descriptor):
    """``compose`` has no guards yet: its channel leads to whom auth calls, and nothing starts.

    ``serve`` makes what answers calls: it explains the policy, about the methods that are served.
    """

    compose: "Callable[[ProcessSettings, Infrastructure, grpc.aio.Channel], Auth]"
    serve: "Callable[[Auth, AccessPolicy, Callable[[], Iterable[str]]], Service]"


def _contracts() -> "tuple[FileDescriptor, ...]":
    from antiphon.auth.v1 import (
        access_service_pb2,
        audit_service_pb2,
        auth_service_pb2,
        verification_service_pb2,
    )

    return (
        auth_service_pb2.DESCRIPTOR,
        access_service_pb2.DESCRIPTOR,
        audit_service_pb2.DESCRIPTOR,
        verification_service_pb2.DESCRIPTOR,
    )


def _schema() -> Schema:
    from antiphon_server.auth.adapters.tables import metadata

    return Schema(Path(__file__).parent / "adapters" / "migrations" / "versions", metadata)


def _compose(
    settings: ProcessSettings, infrastructure: "Infrastructure", to_others: "grpc.aio.Channel"
) -> "Auth":
    from antiphon.events.v1.event_service_pb2_grpc import EventServiceStub
    from antiphon_server.auth.adapters.event_stub import EventLog
    from antiphon_server.auth.adapters.redis_messenger import RedisMessenger
    from antiphon_server.auth.adapters.sql import sql_stores
    from antiphon_server.auth.compose.settings import OtherServers
    from antiphon_server.auth.compose.whole import compose_auth
    from antiphon_server.auth.service.local_operator import nobody

    redis, lease = infrastructure.redis, infrastructure.lease
    others = OtherServers(
        several=settings.shares_store,
        node=infrastructure.node,
        living=lease.living if lease else nobody,
        names=infrastructure.names,
        **({"messenger": RedisMessenger(redis)} if redis and settings.shares_store else {}),
    )
    return compose_auth(
        sql_stores(infrastructure.database),
        EventLog(EventServiceStub(to_others)),
        settings.data_dir,
        _settings(settings),
        others,
        secret=infrastructure.secret,
    )


def _settings(settings: ProcessSettings) -> "AuthSettings":
    from antiphon_server.auth.compose.settings import AuthSettings
    from antiphon_server.auth.model import DAY
    from antiphon_server.auth.service.opening import SessionSettings
    from antiphon_server.auth.service.signing_keys import KeySettings
    from antiphon_server.auth.service.token_settings import TokenSettings

    shared = settings.shares_store or bool(settings.elsewhere)
    return AuthSettings(
        tokens=TokenSettings(user_seconds=settings.access_token_minutes * 60),
        sessions=SessionSettings(
            idle=settings.session_idle_days * DAY, longest=settings.session_days * DAY
        ),
        keys=KeySettings(settings.signing_key_days, shared),
        alarms=settings.alarms,
        identity_providers=settings.identity_providers,
        breached_passwords_file=settings.breached_passwords_file,
        services=settings.all_services,
        test_user=settings.test_users,
    )


def _serve(auth: "Auth", policy: "AccessPolicy", methods: Callable[[], Iterable[str]]) -> "Service":
    from antiphon_server.auth.compose.service import auth_service

    return auth_service(auth, policy, methods)


AUTH = GuardingDescriptor(
    name="auth",
    port=7461,
    calls=("events",),
    contracts=_contracts,
    schema=_schema,
    compose=_compose,
    serve=_serve,
)
