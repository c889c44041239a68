"""Whoever makes too many calls is told when the next one is taken; nobody else notices."""

import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import grpc
import pytest
from grpc_health.v1 import health_pb2, health_pb2_grpc
from prometheus_client import CollectorRegistry, generate_latest

from antiphon.auth.v1 import auth_service_pb2 as auth_pb
from antiphon.auth.v1 import auth_service_pb2_grpc as auth_stubs
from antiphon.events.v1 import event_service_pb2_grpc as stubs
from antiphon_server.runtime.access.principal import Grant, Principal, SessionId, UserId
from antiphon_server.runtime.channels.local_channel import LocalServer
from antiphon_server.runtime.configuration import WrongSetting
from antiphon_server.runtime.errors import DomainError, Reason
from antiphon_server.runtime.errors.wire import domain_error_of
from antiphon_server.runtime.limits.counted_calls import STEP_S, CountedCalls
from antiphon_server.runtime.limits.rate_guard import RateGuard
from antiphon_server.runtime.limits.rate_limits import Limit, RateLimits, Scope
from antiphon_server.runtime.net.addresses import Callers
from antiphon_server.runtime.rpc.health import Health
from antiphon_server.runtime.rpc.interceptors.address import AddressInterceptor
from antiphon_server.runtime.rpc.interceptors.authentication import AuthenticationInterceptor
from antiphon_server.runtime.rpc.interceptors.errors import ErrorInterceptor
from antiphon_server.runtime.rpc.methods import UNKNOWN, Method
from tests.repository.files import ROOT
from tests.runtime.events_service import HEAD, Events, on_a_port

SCOPES: tuple[Scope, ...] = ("address", "principal")
LOGIN = "/antiphon.auth.v1.AuthService/Login"
GET_HEAD = "/antiphon.events.v1.EventService/GetHead"


class Verifier:
    """Takes the token for the user's id; "service" is a part of this installation.

    What begins with "turn" is the id of a turn of ann's, or of a service's, whose grant it is.
    """

    def __init__(self) -> None:
        self.asked = 0

    async def verify(self, token: str) -> Principal:
        self.asked += 1
        if token == "wrong":
            raise DomainError(Reason.TOKEN_INVALID)
        if token.startswith("turn"):
            whose = "" if token.startswith("turn_of_service") else "ann"
            grant = Grant(token, "conv", "ws", 1)
            return Principal("grant", UserId(whose), SessionId(""), grant=grant)
        kind: Any = "service" if token == "service" else "user"
        return Principal(kind, UserId(token), SessionId(""))


Servicer: Any = auth_stubs.AuthServiceServicer  # its types ask for every method at once


class SignIns(Servicer):  # type: ignore[misc]
    """Lets everybody in."""

    async def Login(self, request: Any, context: Any) -> Any:
        return auth_pb.LoginResponse()

    async def Refresh(self, request: Any, context: Any) -> Any:
        return auth_pb.RefreshResponse()


@dataclass
class Clock:
    time: float = 1000.0

    def __call__(self) -> float:
        return self.time


class World:
    """A server with such limits, behind a proxy or not."""

    def __init__(
        self, limits: RateLimits, behind_proxy: bool, counted: CountedCalls | None
    ) -> None:
        self.refused: list[tuple[Limit, str]] = []
        self.guard = RateGuard(limits, behind_proxy=behind_proxy)
        self.guard.listen(lambda method, limit, who: self.refused.append((limit, who)))
        self.verifier = Verifier()
        self.table = LocalServer(
            [
                ErrorInterceptor(),
                AddressInterceptor(Callers(behind_proxy)),
                self.guard.interceptor("address", counted),
                AuthenticationInterceptor(self.verifier),
                self.guard.interceptor("principal", counted),
            ]
        )
        stubs.add_EventServiceServicer_to_server(Events(), self.table)
        auth_stubs.add_AuthServiceServicer_to_server(SignIns(), self.table)
        Health().register(self.table)
        self.channel: Any = None

    async def call(self, method: str, address: str = "", token: str = "", **how: Any) -> Any:
        """Call one method. Raises DomainError for what it was refused with."""
        metadata = [("x-forwarded-for", address)] if address else []
        metadata += [("authorization", f"Bearer {token}")] if token else []
        name = method.rpartition("/")[2]
        channel = how.get("channel", self.channel)
        stub: Any = auth_stubs.AuthServiceStub(channel)
        if method.startswith("/antiphon.events"):
            stub = stubs.EventServiceStub(channel)
        if method.startswith("/grpc.health"):
            stub = health_pb2_grpc.HealthStub(channel)
        request = {
            "GetHead": HEAD,
            "Check": health_pb2.HealthCheckRequest(),
            "Login": auth_pb.LoginRequest(),
            "Refresh": auth_pb.RefreshRequest(),
        }[name]
        try:
            return await getattr(stub, name)(request, metadata=metadata, timeout=10)
        except grpc.aio.AioRpcError as error:
            raise domain_error_of(error) from error

    async def refusals(self, calls: int, method: str, **how: Any) -> list[DomainError]:
        """How those of so many calls were refused that were."""
        found = []
        for _ in range(calls):
            try:
                await self.call(method, **how)
            except DomainError as error:
                found.append(error)
        return found


@asynccontextmanager
async def world(
    *, behind_proxy: bool = True, counted: CountedCalls | None = None, **limits: Any
) -> AsyncIterator[World]:
    made = World(RateLimits(**limits), behind_proxy, counted)
    async with on_a_port(made.table) as made.channel:
        yield made


async def test_sign_ins_of_one_address_are_strict() -> None:
    """The sixth of five is refused, with a wait; another address, and a refresh, are not."""
    async with world(sign_ins=5) as made:
        refused = await made.refusals(8, LOGIN, address="192.0.2.1")
        assert [error.reason for error in refused] == [Reason.RATE_LIMITED] * 3
        assert refused[0].metadata == {"limit": "sign_ins", "scope": "address"}
        assert all(0 < (error.retry_after or 0) <= 120 for error in refused)
        assert not await made.refusals(5, LOGIN, address="192.0.2.2")
        refresh = LOGIN.replace("Login", "Refresh")
        assert not await made.refusals(8, refresh, address="192.0.2.1")


async def test_an_ipv6_network_is_one_address() -> None:
    """Its owner has 2**64 of them."""
    async with world(sign_ins=5) as made:
        for number in range(5):
            await made.call(LOGIN, f"2001:db8:0:1::{number}")
        assert await made.refusals(1, LOGIN, address="2001:db8:0:1:ffff::")
        assert not await made.refusals(1, LOGIN, address="2001:db8:0:2::")


async def test_a_flood_from_one_address_is_refused_before_anybody_is_asked() -> None:
    """With tokens good and bad; the verifier sees no more than the limit."""
    async with world(calls=10) as made:
        refused = await made.refusals(40, GET_HEAD, address="192.0.2.1", token="wrong")
        reasons = [error.reason for error in refused]
        assert reasons == [Reason.TOKEN_INVALID] * 10 + [Reason.RATE_LIMITED] * 30
        assert made.verifier.asked == 10
        assert not await made.refusals(1, GET_HEAD, address="192.0.2.2", token="ann")


async def test_principals_are_counted_wherever_they_are() -> None:
    """By user, not by address; another user, and a part of the installation, go on."""
    async with world(reads=5) as made:
        for number in range(5):
            await made.call(GET_HEAD, f"192.0.2.{number}", "ann")
        [refused] = await made.refusals(1, GET_HEAD, address="192.0.2.99", token="ann")
        assert refused.metadata == {"limit": "reads", "scope": "principal"}
        assert not await made.refusals(5, GET_HEAD, token="bob")
        assert not await made.refusals(20, GET_HEAD, token="service")


async def test_a_workers_calls_are_its_turns_users() -> None:
    """Whichever of their turns has it; a turn in nobody's name is counted by itself."""
    async with world(reads=5) as made:
        assert not await made.refusals(2, GET_HEAD, token="ann")
        assert not await made.refusals(3, GET_HEAD, token="turn_1")
        for more in ("ann", "turn_1", "turn_2"):
            assert len(await made.refusals(1, GET_HEAD, token=more)) == 1
        assert len(await made.refusals(6, GET_HEAD, token="turn_of_service_1")) == 1
        assert not await made.refusals(5, GET_HEAD, token="turn_of_service_2")


async def test_calls_on_this_machine_have_no_limits_of_addresses() -> None:
    """Neither over the loopback interface nor within the process, which has none at all."""
    async with world(behind_proxy=False, sign_ins=2, calls=2, reads=2) as made:
        assert not await made.refusals(9, LOGIN)
        local = made.table.channel()
        assert not await made.refusals(9, LOGIN, channel=local)
        assert not await made.refusals(9, GET_HEAD, token="ann", channel=local)
        assert len(await made.refusals(9, GET_HEAD, token="ann")) == 7


async def test_behind_a_proxy_this_machine_has_limits() -> None:
    """Or a proxy on it that does not say where callers are would lift them for everybody."""
    async with world(sign_ins=2) as made:
        assert len(await made.refusals(9, LOGIN)) == 7
        assert len(await made.refusals(9, LOGIN, address="unknown")) == 9
        local = made.table.channel()
        assert not await made.refusals(9, LOGIN, channel=local)


async def test_the_health_is_always_told() -> None:
    """Or a flood would look like a dead server."""
    async with world(calls=1) as made:
        assert not await made.refusals(9, "/grpc.health.v1.Health/Check", address="192.0.2.1")


async def test_a_method_may_have_a_limit_of_its_own() -> None:
    """Of principals, or of addresses where it is public; the narrowest is named."""
    async with world(rpcs={GET_HEAD: 2, LOGIN: 1}) as made:
        refused = await made.refusals(4, GET_HEAD, token="ann")
        assert [error.metadata["limit"] for error in refused] == [GET_HEAD] * 2
        refused = await made.refusals(2, LOGIN, address="192.0.2.1")
        assert [error.metadata["limit"] for error in refused] == [LOGIN]


async def test_what_another_server_has_counted_is_not_counted_again() -> None:
    """Neither of its address nor of its principal; a mark of nobody's counts for nothing."""
    clock = Clock()
    counted = CountedCalls(b"k" * 32, clock)
    async with world(calls=2, reads=2, counted=counted) as made:

        async def call(*more: tuple[str, str]) -> None:
            metadata = (("x-forwarded-for", "192.0.2.1"), ("authorization", "Bearer ann"), *more)
            await stubs.EventServiceStub(made.channel).GetHead(HEAD, metadata=metadata)

        mark = counted.headers()
        for _ in range(4):
            await call(*mark)
        forged = CountedCalls(b"x" * 32, clock).headers()
        await call(*forged)
        await call(("antiphon-counted", "\x7e"))
        clock.time += 2 * STEP_S
        for late in (mark, forged):
            with pytest.raises(grpc.aio.AioRpcError) as refused:
                await call(*late)
            assert domain_error_of(refused.value).reason is Reason.RATE_LIMITED
        await call(*counted.headers())


@pytest.mark.parametrize("off", [{"enabled": False}, {"sign_ins": 0, "calls": 0}])
async def test_limits_can_be_switched_off(off: dict[str, Any]) -> None:
    """All at once, or one by one with 0."""
    async with world(**{"sign_ins": 1, "calls": 1, **off}) as made:
        assert not await made.refusals(9, LOGIN, address="192.0.2.1")


async def test_refusals_are_counted_and_told() -> None:
    """As a metric, and to a listener with the address."""
    async with world(sign_ins=1) as made:
        await made.refusals(3, LOGIN, address="192.0.2.1")
        registry = CollectorRegistry()
        for collector in made.guard.collectors:
            registry.register(collector)
        line = 'antiphon_rate_limited_total{limit="sign_ins",scope="address"} 2.0'
        assert line in generate_latest(registry).decode().splitlines()
        assert [(limit.name, who) for limit, who in made.refused] == [("sign_ins", "192.0.2.1")] * 2


def test_each_method_has_its_class() -> None:
    """What opens a session is strict per address; the rest by what it does."""
    limits = RateLimits()

    def names(method: str, *streams: bool) -> list[str]:
        asked = Method(method, *streams)
        return [it.name for scope in SCOPES for it in limits.of(scope, asked)]

    auth, events = "/antiphon.auth.v1.AuthService/", "/antiphon.events.v1.EventService/"
    assert names(auth + "Login") == ["sign_ins", "calls"]
    assert names(auth + "StartDeviceLogin") == ["sign_ins", "calls"]
    assert names(auth + "ResetPassword") == ["sign_ins", "calls"]
    assert names(auth + "Refresh") == ["calls"]
    assert names(auth + "GetJwks") == ["calls"]
    assert names(auth + "WhoAmI") == ["calls", "reads"]
    assert names(auth + "CreateUser") == ["calls", "writes"]
    assert names(events + "Follow", False, True) == ["calls", "streams"]
    assert names("/grpc.health.v1.Health/Watch", False, True) == []
    assert [it.name for it in limits.of("address", UNKNOWN)] == ["calls"]
    assert limits.of("principal", UNKNOWN) == []


def test_a_limit_for_no_method_stops_the_start() -> None:
    """Or a misspelt one would guard nothing."""
    with pytest.raises(WrongSetting, match="Logon"):
        RateLimits(rpcs={LOGIN: 1, LOGIN.replace("in", "on"): 1}).check([LOGIN])


def test_the_document_says_the_same() -> None:
    """Each limit stands in the operators' table, with its scope and figure."""
    text = (ROOT / "docs" / "guides" / "limits.md").read_text()
    rows = re.findall(r"(?m)^\| `(\w+)` of an? (address|principal) \| (\d+) \|", text)
    limits = RateLimits()
    found = [
        (it.name, it.scope, str(it.most))
        for method in (LOGIN, GET_HEAD, GET_HEAD.replace("GetHead", "Append"))
        for scope in SCOPES
        for it in limits.of(scope, Method(method))
    ]
    follow = Method(GET_HEAD.replace("GetHead", "Follow"), False, True)
    found += [(it.name, it.scope, str(it.most)) for it in limits.of("principal", follow)]
    assert set(rows) == set(found)
