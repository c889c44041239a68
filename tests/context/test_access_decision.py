"""The access decision, in every combination."""

import itertools

import pytest

from antiphon.auth.v1.access_pb2 import ROLE_MEMBER, ROLE_VIEWER, Permission
from antiphon.context.v1 import context_service_pb2 as pb
from antiphon.context.v1.context_service_pb2_grpc import ContextServiceStub
from antiphon_server.context.access_decision import Verdict, decide, resource_with_roles
from antiphon_server.context.access_policy import ContextAccessPolicy
from antiphon_server.context.model.resources import Role
from antiphon_server.runtime.errors import DomainError, Reason
from antiphon_server.runtime.principal import ANONYMOUS, Principal, SessionId, UserId
from tests.context.world import ANN, BOB, World

USER = Principal("user", UserId(ANN), SessionId("s"))
OPERATOR = Principal("user", UserId(ANN), SessionId("s"), operator=True)
SERVICE = Principal("service", UserId("x"), SessionId(""))
NAMELESS = Principal("user", UserId(""), SessionId(""))
CALLERS = (ANONYMOUS, USER, OPERATOR, SERVICE, NAMELESS)
WITH_ROLES = (
    "ws_00000001",
    "conv_00000001",
    "workspaces/ws_00000001",
    "conversations/conv_00000001",
)
OTHERS = (
    "",
    "global",
    f"users/{ANN}",
    "users/user_bob00000",
    "users/",
    "Global",
    "ws_short",
    "conversations/ws_00000001",
    "workspaces/conv_00000001",
    "conv_00000001\n",
    "conversations/conv_00000001/x",
    "turn_00000001",
    "\0",
)
PERMISSIONS = (*Permission.values(), 8, -1, 1000)
NAMES = {int(value): name.removeprefix("PERMISSION_") for name, value in Permission.items()}
LEAST = {"READ": Role.VIEWER, "WRITE": Role.MEMBER, "MANAGE": Role.ADMIN}


def expected(caller: Principal, permission: int, resource: str, role: Role) -> Verdict:
    """The contract's sentences, one by one."""
    name = NAMES.get(permission, "UNSPECIFIED")
    if name == "PUBLIC":
        return Verdict.ALLOWED
    if name == "UNSPECIFIED":
        return Verdict.DENIED
    if caller is SERVICE:
        return Verdict.ALLOWED
    if caller is ANONYMOUS:
        return Verdict.UNAUTHENTICATED
    if name in ("AUTHENTICATED", "OPERATE", "INTERNAL"):
        allowed = name == "AUTHENTICATED" or (name == "OPERATE" and caller is OPERATOR)
        return Verdict.ALLOWED if allowed else Verdict.DENIED
    if resource in WITH_ROLES:
        if role is Role.NONE:
            return Verdict.NOT_FOUND
        return Verdict.ALLOWED if role >= LEAST[name] else Verdict.DENIED
    if resource == "global":
        allowed = name == "READ" or caller is OPERATOR
        return Verdict.ALLOWED if allowed else Verdict.DENIED
    if resource == f"users/{ANN}" and caller.user_id == ANN:
        return Verdict.ALLOWED if name == "READ" else Verdict.DENIED
    return Verdict.NOT_FOUND


def test_every_combination() -> None:
    """Callers x permissions x resources x roles: 5 x 11 x 17 x 5 decisions."""
    combinations = list(itertools.product(CALLERS, PERMISSIONS, WITH_ROLES + OTHERS, Role))
    assert len(combinations) == 5 * len(PERMISSIONS) * 17 * 5
    for combination in combinations:
        assert decide(*combination) is expected(*combination), combination


@pytest.mark.parametrize("resource", OTHERS)
def test_nothing_else_has_roles(resource: str) -> None:
    """Only a well-formed workspace or conversation is asked for."""
    assert resource_with_roles(resource) is None


async def test_the_policy_asks_the_context_service(world: World) -> None:
    """Roles count as they are now; refusals carry the contract's metadata."""
    conversation = await world.conversation()
    metadata = (("authorization", "Bearer service"),)
    policy = ContextAccessPolicy(ContextServiceStub(world.server.channel(lambda: metadata)))
    bob = Principal("user", UserId(BOB), SessionId("s"))
    scope = f"conversations/{conversation}"
    with pytest.raises(DomainError) as refused:
        await policy.check(bob, Permission.Value("PERMISSION_READ"), scope)
    assert (refused.value.reason, refused.value.metadata) == (
        Reason.NOT_FOUND,
        {"resource": scope},
    )
    add = pb.AddMemberRequest(resource=conversation, user_id=BOB, role=ROLE_VIEWER)
    await world.client(ANN).AddMember(add)
    await policy.check(bob, Permission.Value("PERMISSION_READ"), scope)
    with pytest.raises(DomainError) as refused:
        await policy.check(bob, Permission.Value("PERMISSION_WRITE"), conversation)
    assert (refused.value.reason, refused.value.metadata) == (
        Reason.PERMISSION_DENIED,
        {"permission": "WRITE"},
    )
    update = pb.UpdateMemberRequest(resource=conversation, user_id=BOB, role=ROLE_MEMBER)
    await world.client(ANN).UpdateMember(update)
    await policy.check(bob, Permission.Value("PERMISSION_WRITE"), conversation)
    with pytest.raises(DomainError) as refused:
        await policy.check(ANONYMOUS, Permission.Value("PERMISSION_READ"), "global")
    assert refused.value.reason is Reason.UNAUTHENTICATED
    await policy.check(SERVICE, Permission.Value("PERMISSION_MANAGE"), "conv_unknown0")
