"""Who may call what is read from the contracts, and nothing is open by mistake."""

from dataclasses import replace
from typing import Any

import grpc
import pytest
from google.protobuf import descriptor_pb2, descriptor_pool

from antiphon.auth.v1 import access_pb2, auth_service_pb2
from antiphon.context.v1 import context_service_pb2
from antiphon_server.runtime.access.permissions import Permission, Role, Rule, Scope
from antiphon_server.runtime.access.principal import (
    ANONYMOUS,
    Principal,
    SessionId,
    UserId,
    set_principal,
)
from antiphon_server.runtime.access.rules import UndeclaredAccess, rule_of
from antiphon_server.runtime.channels.local_channel import LocalServer
from antiphon_server.runtime.errors import DomainError
from antiphon_server.runtime.rpc.interceptors.access import AccessInterceptor, of_own_default
from antiphon_server.runtime.rpc.interceptors.authentication import AuthenticationInterceptor
from antiphon_server.runtime.rpc.methods import Method
from tests.fakes.fixed_roles import FixedRoles

USER = Principal("user", UserId("user_1"), SessionId("sess_1"))


def declare(method: str, access: access_pb2.Access | None, *, streaming: bool = False) -> str:
    """Add a service with one method to the descriptors; its request is CreateWorkspace's."""
    file = descriptor_pb2.FileDescriptorProto(
        name=f"test/{method}.proto",
        package="test.access",
        dependency=["antiphon/context/v1/context_service.proto"],
    )
    rpc = file.service.add(name=method).method.add(
        name="Call",
        input_type=".antiphon.context.v1.UpdateWorkspaceRequest",
        output_type=".antiphon.context.v1.UpdateWorkspaceResponse",
        client_streaming=streaming,
    )
    if access is not None:
        rpc.options.Extensions[access_pb2.access].CopyFrom(access)
    descriptor_pool.Default().AddSerializedFile(file.SerializeToString())
    return f"/test.access.{method}/Call"


READ = access_pb2.PERMISSION_READ


@pytest.mark.parametrize(
    ("name", "access", "streaming"),
    [
        ("Nothing", None, False),
        ("Unspecified", access_pb2.Access(), False),
        ("NoResource", access_pb2.Access(permission=READ), False),
        ("NoSuchField", access_pb2.Access(permission=READ, resource_field="nothing"), False),
        ("NotText", access_pb2.Access(permission=READ, resource_field="workspace"), False),
        (
            "Streaming",
            access_pb2.Access(permission=READ, resource_field="workspace.workspace_id"),
            True,
        ),
        (
            "NeedsNone",
            access_pb2.Access(
                permission=access_pb2.PERMISSION_PUBLIC, resource_field="workspace.workspace_id"
            ),
            False,
        ),
        ("NoScope", access_pb2.Access(permission=access_pb2.PERMISSION_AUTHENTICATED), False),
        (
            "NoSuchScope",
            access_pb2.Access(
                permission=access_pb2.PERMISSION_AUTHENTICATED, scope=access_pb2.Scope.ValueType(99)
            ),
            False,
        ),
        (
            "OtherScope",
            access_pb2.Access(
                permission=READ,
                resource_field="workspace.workspace_id",
                scope=access_pb2.SCOPE_WRITE,
            ),
            False,
        ),
        (
            "ManagedByGrant",
            access_pb2.Access(
                permission=access_pb2.PERMISSION_MANAGE,
                resource_field="workspace.workspace_id",
                grant=True,
            ),
            False,
        ),
        (
            "OpenToGrants",
            access_pb2.Access(permission=access_pb2.PERMISSION_PUBLIC, grant=True),
            False,
        ),
    ],
)
def test_an_incomplete_declaration_stops_the_start(
    name: str, access: access_pb2.Access | None, streaming: bool
) -> None:
    """A server with such an RPC does not start."""
    method = declare(name, access, streaming=streaming)
    service = method[1:].partition("/")[0]

    table = LocalServer([AccessInterceptor(FixedRoles())])
    handler: Any = grpc.unary_unary_rpc_method_handler(nothing)
    table.add_registered_method_handlers(service, {"Call": handler})
    with pytest.raises(UndeclaredAccess, match=name):
        table.prepare()


def test_permissions_and_scopes_are_the_contracts() -> None:
    """The server's enums have the names and numbers of the contract's."""
    for ours, theirs, prefix in (
        (Permission, access_pb2.Permission, "PERMISSION_"),
        (Scope, access_pb2.Scope, "SCOPE_"),
        (Role, access_pb2.Role, "ROLE_"),
    ):
        named = {f"{prefix}{one.name}": one.value for one in ours}
        if ours is Role:  # no role at all has a name of its own here
            named["ROLE_UNSPECIFIED"] = named.pop("ROLE_NONE")
        assert named == dict(theirs.items())


def test_rules_are_those_of_the_contract() -> None:
    """Permission and path are read; third-party services are listed as public."""
    prefix = "/antiphon.context.v1.ContextService/"
    assert rule_of(prefix + "UpdateWorkspace") == Rule(
        Permission.MANAGE,
        ("workspace", "workspace_id"),
        Scope.MANAGE,
        prefix + "UpdateWorkspace",
    )
    assert rule_of(prefix + "ListWorkspaces").scope is Scope.READ
    assert rule_of(prefix + "GetContext").grant
    assert not of_own_default(rule_of(prefix + "GetContext")).grant
    assert rule_of("/grpc.health.v1.Health/Check").permission is Permission.PUBLIC
    with pytest.raises(LookupError):
        rule_of("/grpc.other.v1.Service/Call")


class Recording:
    """Remembers what was asked."""

    def __init__(self) -> None:
        self.asked: list[Any] = []

    async def verify(self, token: str) -> Principal:
        self.asked.append(token)
        return USER


async def nothing(_request: Any, _context: Any) -> None: ...


async def test_an_empty_resource_is_the_callers_own() -> None:
    """Being somebody is enough for it, with the scope of the call."""
    policy = FixedRoles({"ws_00000001": Role.MEMBER})
    method = Method("/antiphon.context.v1.ContextService/CreateConversation")
    call = AccessInterceptor(policy).wrap(method, nothing)
    set_principal(USER)
    context: Any = None
    await call(context_service_pb2.CreateConversationRequest(), context)
    await call(context_service_pb2.CreateConversationRequest(workspace_id="ws_00000001"), context)
    limited = replace(USER, scopes=frozenset({Scope.READ}))
    set_principal(limited)
    with pytest.raises(DomainError, match="SCOPE_MISSING"):
        await call(context_service_pb2.CreateConversationRequest(), context)
    set_principal(ANONYMOUS)
    assert [(who, rule.permission, what) for who, rule, what in policy.asked] == [
        (USER, Permission.AUTHENTICATED, ""),
        (USER, Permission.WRITE, "ws_00000001"),
        (limited, Permission.AUTHENTICATED, ""),
    ]


async def test_a_public_method_asks_no_verifier() -> None:
    """A stale token does not keep anybody from logging in."""
    verifier = Recording()
    method = Method("/antiphon.auth.v1.AuthService/Login")
    call = AuthenticationInterceptor(verifier).wrap(method, nothing)
    metadata = (("authorization", "Bearer stale"),)
    request = auth_service_pb2.LoginRequest()
    await call(request, LocalServer().channel().begin("/x/Y", metadata, None)[1])
    assert verifier.asked == []
