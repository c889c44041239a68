"""Who has which role on workspaces and conversations."""

from collections.abc import AsyncGenerator
from typing import TYPE_CHECKING

from antiphon.auth.v1.access_pb2 import Role
from antiphon.context.v1 import context_service_pb2 as messages
from antiphon.context.v1.conversation_pb2 import Member
from antiphon_client.caller import Caller, pages

if TYPE_CHECKING:
    from antiphon.context.v1.context_service_pb2_grpc import ContextServiceAsyncStub

_PREFIX = "ROLE_"
ROLES = ("viewer", "member", "guest", "admin", "owner")
"""As people write them; the contract's enum ``Role`` says what each may do."""


class Members:
    """Roles. Errors: AntiphonError, as each RPC's comment says.

    ``resource`` is a workspace's id or a conversation's, ``role`` one of :data:`ROLES` or of
    the contract's ``Role``; ValueError for another one.
    """

    _context: "ContextServiceAsyncStub"
    _caller: Caller

    async def add_member(self, resource: str, user_id: str, role: Role.ValueType | str) -> Member:
        """Give a user a role."""
        request = messages.AddMemberRequest(
            resource=resource, user_id=user_id, role=role_named(role)
        )
        return (await self._caller.call(self._context.AddMember, request)).member

    async def update_member(
        self, resource: str, user_id: str, role: Role.ValueType | str
    ) -> Member:
        """Give a member another role."""
        request = messages.UpdateMemberRequest(
            resource=resource, user_id=user_id, role=role_named(role)
        )
        return (await self._caller.call(self._context.UpdateMember, request)).member

    def list_members(self, resource: str) -> AsyncGenerator[Member]:
        """Who has a role on the resource itself."""

        async def fetch(page_token: str) -> messages.ListMembersResponse:
            request = messages.ListMembersRequest(resource=resource, page_token=page_token)
            return await self._caller.call(self._context.ListMembers, request)

        return pages(fetch, lambda page: page.members)

    async def remove_member(self, resource: str, user_id: str) -> None:
        """Take a user's role away."""
        request = messages.RemoveMemberRequest(resource=resource, user_id=user_id)
        await self._caller.call(self._context.RemoveMember, request)


def role_named(role: Role.ValueType | str) -> Role.ValueType:
    """The contract's role. Raises ValueError for a name that is none."""
    if not isinstance(role, str):
        return role
    if role.lower() not in ROLES:
        raise ValueError(f"there is no role {role!r}; the roles are {', '.join(ROLES)}")
    return Role.Value(f"{_PREFIX}{role.upper()}")


def role_name(role: Role.ValueType) -> str:
    """A role as people write it; one of a newer server's by its number."""
    known = role in Role.values()
    return Role.Name(role).removeprefix(_PREFIX).lower() if known else f"unknown {role}"
