"""AccessService: who may do what, and why."""

import difflib
from collections.abc import Callable, Iterable
from typing import Any

from antiphon.auth.v1 import access_pb2
from antiphon.auth.v1 import access_service_pb2 as pb
from antiphon.auth.v1.access_service_pb2_grpc import AccessServiceServicer
from antiphon_server.auth.model import User
from antiphon_server.auth.service.users import Users
from antiphon_server.runtime.access.permissions import Permission, Rule, Scope
from antiphon_server.runtime.access.policy import Decision, enforce
from antiphon_server.runtime.access.principal import Principal, SessionId, UserId
from antiphon_server.runtime.access.rules import AccessPolicy, rule_of
from antiphon_server.runtime.errors import DomainError, invalid
from antiphon_server.runtime.rpc.interceptors.access import of_own_default
from antiphon_server.runtime.rpc.paging import decode_page_token, encode_page_token, page_limit

LISTED = "access"
_WITHOUT_SCOPES = (Permission.PUBLIC, Permission.INTERNAL, Permission.UNSPECIFIED)


class AccessServicer(AccessServiceServicer):
    """The RPCs of ``antiphon.auth.v1.AccessService``.

    ``methods`` are the full names of all that the server serves; ``policy`` is the one
    that guards them.
    """

    def __init__(
        self, users: Users, policy: AccessPolicy, methods: Callable[[], Iterable[str]]
    ) -> None:
        self._users = users
        self._policy = policy
        self._methods = methods

    async def ListAccess(
        self, request: pb.ListAccessRequest, context: Any
    ) -> pb.ListAccessResponse:
        position = decode_page_token(request.page_token, LISTED, fields=1)
        limit = page_limit(request.page_size, default=200)
        names = sorted(name for name in self._methods() if not position or name > position[0])
        more = len(names) > limit
        return pb.ListAccessResponse(
            rpcs=[_encoded(rule_of(name)) for name in names[:limit]],
            next_page_token=encode_page_token(LISTED, names[limit - 1]) if more else "",
        )

    async def ExplainAccess(
        self, request: pb.ExplainAccessRequest, context: Any
    ) -> pb.ExplainAccessResponse:
        rule = rule_of(method_named(request.rpc, self._methods()))
        user = await self._user(request.user)
        scopes = frozenset(map(Scope, request.scopes)) if request.limited else None
        operator = user.operator and not user.disabled
        caller = Principal("user", user.user_id, SessionId(""), operator, scopes=scopes)
        effective = rule if request.resource or not rule.resource_path else of_own_default(rule)
        decision = await self._policy.decide(caller, effective, request.resource)
        return _explained(decision, rule, user)

    async def _user(self, named: str) -> User:
        """The user of that id or name. Raises DomainError NOT_FOUND."""
        if named.startswith("user_"):
            return await self._users.get(UserId(named))
        return await self._users.named(named)


def method_named(wish: str, methods: Iterable[str]) -> str:
    """The method's full name. Raises DomainError INVALID_ARGUMENT with the nearest names."""
    known = list(methods)
    ends = f"/{wish.lstrip('/')}"
    found = [name for name in known if name == ends or name.endswith((ends, f".{ends[1:]}"))]
    if len(found) == 1:
        return found[0]
    if found:
        names = ", ".join(sorted(name[1:] for name in found))
        raise invalid("rpc", f"several RPCs are called {wish}: {names}")
    last = {name.rpartition("/")[2].casefold(): name.rpartition("/")[2] for name in known}
    asked = wish.rpartition("/")[2].casefold()
    near = [last[name] for name in difflib.get_close_matches(asked, last, n=3, cutoff=0.5)]
    hint = f"; did you mean {' or '.join(near)}?" if near else ""
    raise invalid("rpc", f"no RPC is called {wish}{hint}")


def _explained(decision: Decision, rule: Rule, user: User) -> pb.ExplainAccessResponse:
    held = decision.question.held
    steps = decision.sentences(user.name)
    if user.disabled:
        steps = [f"{user.name} is disabled: no credential of theirs works", *steps[:-1], "refused"]
    return pb.ExplainAccessResponse(
        allowed=decision.allowed and not user.disabled,
        reason="USER_DISABLED" if user.disabled else _reason(decision),
        steps=steps,
        rpc=_encoded(rule),
        user_id=user.user_id,
        role=access_pb2.Role.ValueType(held.role.value),
        granted_on=held.granted_on,
    )


def _reason(decision: Decision) -> str:
    try:
        enforce(decision)
    except DomainError as error:
        return error.reason.value
    return ""


def _encoded(rule: Rule) -> pb.RpcAccess:
    scope = Scope.UNSPECIFIED if rule.permission in _WITHOUT_SCOPES else rule.scope
    return pb.RpcAccess(
        rpc=rule.method[1:],
        permission=access_pb2.Permission.ValueType(rule.permission.value),
        scope=access_pb2.Scope.ValueType(scope.value),
        resource_field=".".join(rule.resource_path),
    )
