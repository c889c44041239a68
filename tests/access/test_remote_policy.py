"""An engine outside has a say: it can refuse, and no failure of it lets anybody in."""

import asyncio
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import grpc
import pytest
import pytest_asyncio

from antiphon.auth.v1 import access_pb2
from antiphon.auth.v1 import policy_service_pb2 as pb
from antiphon.auth.v1.policy_service_pb2_grpc import (
    PolicyServiceServicer,
    PolicyServiceStub,
    add_PolicyServiceServicer_to_server,
)
from antiphon_client.errors import AntiphonError
from antiphon_server.auth.adapters.remote_policy import RemotePolicy, engine_channel
from antiphon_server.runtime.access.permissions import Permission, Role, Rule, Scope, rule_for
from antiphon_server.runtime.access.principal import (
    ANONYMOUS,
    Grant,
    Principal,
    SessionId,
    UserId,
)
from antiphon_server.runtime.errors import DomainError, Reason
from tests.e2e.server import ServerProcess
from tests.fakes.fixed_roles import FixedRoles

ANN = Principal("user", UserId("user_ann00000"), SessionId("s"))
CONVERSATION = "conv_00000001"
WRITE = Rule(Permission.WRITE, scope=Scope.WRITE, method="/a.B/Post")
DEADLINE_S = 0.2


@dataclass(slots=True)
class Engine(PolicyServiceServicer):
    """A small engine: allows what it is told to allow, after a while, and remembers all."""

    port: int = 0
    allows: bool = True
    wait_s: float = 0
    breaks: bool = False
    asked: list[pb.DecideRequest] = field(default_factory=list)

    async def Decide(self, request: pb.DecideRequest, context: Any) -> pb.DecideResponse:
        """See the contract."""
        self.asked.append(request)
        await asyncio.sleep(self.wait_s)
        if self.breaks:
            raise RuntimeError("a defect of the engine")
        return pb.DecideResponse(allowed=self.allows, reasons=["it is Sunday"])


@pytest_asyncio.fixture
async def engine() -> AsyncIterator[Engine]:
    """An engine on a real port."""
    server, engine = grpc.aio.server(), Engine()
    add_PolicyServiceServicer_to_server(engine, server)
    engine.port = server.add_insecure_port("127.0.0.1:0")
    await server.start()
    yield engine
    await server.stop(0)


@pytest_asyncio.fixture
async def policy(engine: Engine) -> AsyncIterator[RemotePolicy]:
    """The policy that asks it, over roles by which everybody is MEMBER of one conversation."""
    async with engine_channel(f"127.0.0.1:{engine.port}") as channel:
        roles = FixedRoles({CONVERSATION: Role.MEMBER})
        yield RemotePolicy(roles, PolicyServiceStub(channel), DEADLINE_S)


async def test_the_engine_is_told_all_and_decides(engine: Engine, policy: RemotePolicy) -> None:
    """Caller, RPC, permission, scopes, resource and role; its reasons are part of the decision."""
    limited = Principal("user", ANN.user_id, ANN.session_id, scopes=frozenset({Scope.WRITE}))
    assert (await policy.decide(limited, WRITE, CONVERSATION)).allowed
    assert engine.asked == [
        pb.DecideRequest(
            caller=pb.CALLER_KIND_USER,
            caller_id="user_ann00000",
            limited=True,
            scopes=[access_pb2.SCOPE_WRITE],
            rpc="/a.B/Post",
            permission=access_pb2.PERMISSION_WRITE,
            scope=access_pb2.SCOPE_WRITE,
            resource=CONVERSATION,
            role=access_pb2.ROLE_MEMBER,
            granted_on=CONVERSATION,
        )
    ]
    engine.allows = False
    decision = await policy.decide(ANN, WRITE, CONVERSATION)
    assert decision.sentences("ann")[-3:] == [
        "the engine outside refuses it",
        "it is Sunday",
        "refused",
    ]


async def test_the_engine_is_told_of_a_turns_worker(engine: Engine, policy: RemotePolicy) -> None:
    """By the turn, whose user it is not; and not asked of what the grant does not open."""
    granted = Grant("turn_00000001", CONVERSATION, "ws_00000001", 1)
    worker = Principal("grant", ANN.user_id, SessionId(""), grant=granted)
    read = replace(rule_for(Permission.READ), method="/a.B/Read", grant=True)
    assert (await policy.decide(worker, read, CONVERSATION)).allowed
    (asked,) = engine.asked
    assert (asked.caller, asked.caller_id) == (pb.CALLER_KIND_GRANT, "turn_00000001")
    assert asked.resource == CONVERSATION
    assert not (await policy.decide(worker, read, "conv_of_others")).allowed
    assert not (await policy.decide(worker, WRITE, CONVERSATION)).allowed
    assert len(engine.asked) == 1


async def test_what_roles_refuse_the_engine_can_not_allow(
    engine: Engine, policy: RemotePolicy
) -> None:
    """It is not even asked about strangers, missing scopes, or who is nobody."""
    limited = Principal("user", ANN.user_id, ANN.session_id, scopes=frozenset({Scope.READ}))
    for caller, resource in ((ANN, "conv_of_others"), (limited, CONVERSATION), (ANONYMOUS, "")):
        assert not (await policy.decide(caller, WRITE, resource)).allowed
    manage = rule_for(Permission.MANAGE)
    assert not (await policy.decide(ANN, manage, CONVERSATION)).allowed
    assert engine.asked == []


@pytest.mark.parametrize("fault", ["slow", "broken", "gone"])
async def test_an_engine_that_does_not_answer_lets_nobody_in(
    fault: str, engine: Engine, policy: RemotePolicy
) -> None:
    """Whatever is wrong with it, the refusal is typed and comes with the deadline."""
    engine.wait_s = 30 if fault == "slow" else 0
    engine.breaks = fault == "broken"
    if fault == "gone":
        async with engine_channel("127.0.0.1:9") as channel:
            policy = RemotePolicy(
                FixedRoles({CONVERSATION: Role.OWNER}), PolicyServiceStub(channel), DEADLINE_S
            )
            await _refused_in_time(policy)
    else:
        await _refused_in_time(policy)


async def _refused_in_time(policy: RemotePolicy) -> None:
    began = time.monotonic()
    with pytest.raises(DomainError) as refused:
        await policy.decide(ANN, WRITE, CONVERSATION)
    assert refused.value.reason is Reason.POLICY_UNAVAILABLE
    assert refused.value.retry_after
    assert time.monotonic() - began < DEADLINE_S + 15  # of 30 s that it is slow


async def test_a_server_asks_the_engine_about_every_call(engine: Engine, tmp_path: Path) -> None:
    """With the setting policy_address even the operator is let in by the engine alone."""
    variables = {"ANTIPHON_POLICY_ADDRESS": f"127.0.0.1:{engine.port}"}
    async with ServerProcess(tmp_path, variables=variables) as server, server.client() as client:
        engine.allows = True
        await client.who_am_i()
        engine.allows = False
        with pytest.raises(AntiphonError) as refused:
            await client.who_am_i()
        assert refused.value.reason == "PERMISSION_DENIED"
        engine.breaks = True
        with pytest.raises(AntiphonError) as refused:
            await client.create_conversation()
        assert refused.value.reason == "POLICY_UNAVAILABLE"
    assert {one.rpc.rpartition("/")[2] for one in engine.asked} >= {"WhoAmI", "CreateConversation"}
