"""Who was removed posts nothing more, whichever process is asked and whatever it remembers."""

import random
from collections import Counter
from dataclasses import dataclass, field
from typing import Any

import grpc
import pytest

from antiphon.auth.v1 import access_pb2
from antiphon.context.v1 import context_service_pb2 as pb
from antiphon.context.v1.context_service_pb2_grpc import (
    ContextServiceStub,
    add_ContextServiceServicer_to_server,
)
from antiphon_server.context.access_policy import ContextAccessPolicy
from antiphon_server.context.compose import Context, compose
from antiphon_server.runtime.access.principal import Principal, SessionId, UserId
from antiphon_server.runtime.channels.local_channel import LocalServer
from antiphon_server.runtime.errors.wire import domain_error_of
from antiphon_server.runtime.rpc.interceptors.access import AccessInterceptor
from antiphon_server.runtime.rpc.interceptors.caller import CallerInterceptor
from antiphon_server.runtime.rpc.interceptors.errors import ErrorInterceptor
from tests.context.stand_ins import ANN, Accounts, Trail
from tests.context.world import World, parts, world

USERS = [f"user_{number:08}" for number in range(5)]
WORKSPACE = "ws_ann00000"
ON_WORKSPACE = ("VIEWER", "MEMBER", "ADMIN", "OWNER")
ON_CONVERSATION = (*ON_WORKSPACE, "GUEST")
POSTS = ("MEMBER", "ADMIN", "OWNER", "GUEST")


def node(here: World, shared: bool) -> dict[str, Any]:
    """A process of its own on the world's store: a stub for each user."""
    context = compose(here.store, here.log, here.clock, Accounts(), Trail(), shared=shared)
    inside = LocalServer([ErrorInterceptor()])
    add_ContextServiceServicer_to_server(context.servicer, inside)
    policy = ContextAccessPolicy(ContextServiceStub(inside.channel()))
    return {user: _guarded(context, policy, user) for user in (ANN, *USERS)}


def _guarded(context: Context, policy: ContextAccessPolicy, user: str) -> Any:
    caller = CallerInterceptor(Principal("user", UserId(user), SessionId("s")))
    server = LocalServer([ErrorInterceptor(), caller, AccessInterceptor(policy)])
    add_ContextServiceServicer_to_server(context.servicer, server)
    return ContextServiceStub(server.channel())


@dataclass(slots=True)
class Sequence:
    """Changes of roles through any process, each followed by posts through any process."""

    nodes: list[dict[str, Any]]
    conversation: str
    random: random.Random
    roles: dict[tuple[str, str], str] = field(default_factory=dict)
    came: Counter[str] = field(default_factory=Counter)

    async def change(self) -> None:
        """Add, change or remove a member of the conversation or of its workspace."""
        user = self.random.choice(USERS)
        resource = self.random.choice((self.conversation, WORKSPACE))
        names = ON_WORKSPACE if resource == WORKSPACE else ON_CONVERSATION
        role, by = self.random.choice(names), self.random.choice(self.nodes)[ANN]
        key = {"resource": resource, "user_id": user}
        value = access_pb2.Role.Value(f"ROLE_{role}")
        if (resource, user) not in self.roles:
            await by.AddMember(pb.AddMemberRequest(role=value, **key))
        elif self.random.random() < 0.6:
            await by.RemoveMember(pb.RemoveMemberRequest(**key))
            del self.roles[resource, user]
            return
        else:
            await by.UpdateMember(pb.UpdateMemberRequest(role=value, **key))
        self.roles[resource, user] = role

    async def post(self) -> None:
        """A post comes out as the plain model of roles says."""
        user = self.random.choice(USERS)
        came = "posted"
        request = pb.PostMessageRequest(conversation_id=self.conversation, parts=parts("hi"))
        try:
            await self.random.choice(self.nodes)[user].PostMessage(request)
        except grpc.aio.AioRpcError as error:
            came = domain_error_of(error).reason.value
        assert came == self._expected(user)
        self.came[came] += 1

    def _expected(self, user: str) -> str:
        own = self.roles.get((self.conversation, user))
        if self.roles.get((WORKSPACE, user)) in ("ADMIN", "OWNER") or own in POSTS:
            return "posted"
        return "PERMISSION_DENIED" if own else "NOT_FOUND"


LONG = [pytest.param(*case, marks=pytest.mark.proof) for case in ((1, 1_000), (2, 500))]


@pytest.mark.parametrize(("nodes", "steps"), [(1, 100), (2, 100), *LONG])
async def test_no_post_of_a_removed_member(nodes: int, steps: int) -> None:
    """One process remembers roles; of several that share a store none does."""
    async with world() as here:
        made = [node(here, shared=nodes > 1) for _ in range(nodes)]
        conversation = await here.conversation()
        sequence = Sequence(made, conversation, random.Random(steps))
        for _ in range(steps):
            await sequence.change()
            await sequence.post()
        assert sequence.came["posted"] > steps / 10 < sequence.came["NOT_FOUND"] * 2
