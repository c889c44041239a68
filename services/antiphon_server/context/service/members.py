"""The rules of membership."""

from collections.abc import Callable, Collection, Mapping
from dataclasses import replace
from typing import TypeAlias

from antiphon_server.context.model.changes import (
    Change,
    MemberAdded,
    MemberRemoved,
    MemberUpdated,
    Repeatable,
    scope_of,
    user_scope,
)
from antiphon_server.context.model.resources import (
    ConversationId,
    Member,
    ResourceId,
    Role,
    WorkspaceId,
)
from antiphon_server.context.model.role_changes import RoleChange
from antiphon_server.context.ports import Clock, Records, Store, Users
from antiphon_server.context.service.access import denied, require
from antiphon_server.context.service.changes import Changes, add_to_outbox, answered, answered_first
from antiphon_server.context.service.pages import Page
from antiphon_server.runtime.access.permissions import Permission
from antiphon_server.runtime.access.principal import Principal, UserId
from antiphon_server.runtime.encoding.ids import new_id
from antiphon_server.runtime.errors import DomainError, Reason, invalid, not_found
from antiphon_server.runtime.net.addresses import current_address
from antiphon_server.runtime.rpc.paging import decode_page_token, encode_page_token

_Changed: TypeAlias = tuple[Member, Role, Role]
"""The member that was changed, and the role before and after it."""


class Members:
    """Gives roles and takes them away. Everything raises STORE_UNAVAILABLE, too."""

    def __init__(self, store: Store, changes: Changes, clock: Clock, users: Users) -> None:
        self._store = store
        self._changes = changes
        self._clock = clock
        self._users = users

    async def add(
        self,
        principal: Principal,
        resource: ResourceId,
        user_id: UserId,
        role: Role,
        request: Repeatable[Member] | None = None,
    ) -> Member:
        """Give a user a role.

        Raises DomainError NOT_FOUND, ALREADY_EXISTS, PERMISSION_DENIED, INVALID_ARGUMENT,
        REQUEST_ID_REUSED.
        """
        _only_conversations_have_guests(resource, role)
        name = await self._users.require(user_id)  # accounts are never removed
        member = Member(resource, user_id, role, int(self._clock() * 1e6), name)

        def work(records: Records, own_role: Role) -> _Changed:
            if records.members.get(resource, user_id) is not None:
                raise DomainError(Reason.ALREADY_EXISTS, resource=_name(resource, user_id))
            _only_owners(own_role, role)
            records.members.add(member, *_times_us(records, resource))
            _tell(records, principal, member, MemberAdded(member))
            return member, Role.NONE, role

        return await self._change(principal, resource, user_id, work, request)

    async def get(self, principal: Principal, resource: ResourceId, user_id: UserId) -> Member:
        """One user's direct role. Raises DomainError NOT_FOUND."""

        def work(records: Records) -> Member:
            require(records, principal, resource, Permission.READ_MEMBERS)
            return _member(records, resource, user_id)

        return await self._store.read(work)

    async def list(
        self, principal: Principal, resource: ResourceId, limit: int, token: str
    ) -> Page[Member]:
        """Who has a direct role. Raises DomainError NOT_FOUND, PAGE_TOKEN_INVALID."""
        listed = f"members of {resource}"
        fields = decode_page_token(token, listed, 1)
        after = UserId(fields[0]) if fields else None

        def work(records: Records) -> list[Member]:
            require(records, principal, resource, Permission.READ_MEMBERS)
            return records.members.list_of(resource, after, limit + 1)

        found = await self._store.read(work)
        if len(found) <= limit:
            return Page(found)
        return Page(found[:limit], encode_page_token(listed, found[limit - 1].user_id))

    async def names_of(self, members: Collection[Member]) -> Mapping[UserId, str]:
        """What members are called, as far as that is known while the accounts are away.

        Whoever got the members may be told: who may not did not get them.
        """
        if not members:
            return {}
        return await self._users.names_of([member.user_id for member in members])

    async def update(
        self,
        principal: Principal,
        resource: ResourceId,
        user_id: UserId,
        role: Role,
        request: Repeatable[Member] | None = None,
    ) -> Member:
        """Change a role.

        Raises DomainError NOT_FOUND, LAST_OWNER, PERMISSION_DENIED, INVALID_ARGUMENT,
        REQUEST_ID_REUSED.
        """
        _only_conversations_have_guests(resource, role)
        names = await self._users.names_of([user_id])

        def work(records: Records, own_role: Role) -> _Changed:
            before = _member(records, resource, user_id)
            if role is before.role:
                return before, role, role
            _only_owners(own_role, role, before.role)
            _keep_an_owner(records, before)
            after = replace(before, role=role, display_name=names.get(user_id, ""))
            records.members.put(after)
            _tell(records, principal, after, MemberUpdated(after))
            return after, before.role, role

        return await self._change(principal, resource, user_id, work, request)

    async def remove(
        self,
        principal: Principal,
        resource: ResourceId,
        user_id: UserId,
        request: Repeatable[Member] | None = None,
    ) -> None:
        """Take a role away.

        Raises DomainError NOT_FOUND, LAST_OWNER, PERMISSION_DENIED, REQUEST_ID_REUSED.
        """

        def work(records: Records, own_role: Role) -> _Changed:
            before = _member(records, resource, user_id)
            _only_owners(own_role, before.role)
            _keep_an_owner(records, before)
            records.members.remove(resource, user_id)
            _tell(records, principal, before, MemberRemoved(resource, user_id))
            return before, before.role, Role.NONE

        await self._change(principal, resource, user_id, work, request)

    async def _change(
        self,
        principal: Principal,
        resource: ResourceId,
        user_id: UserId,
        work: Callable[[Records, Role], _Changed],
        request: Repeatable[Member] | None,
    ) -> Member:
        """Make a change that is accounted for: neither is there without the other.

        ``work`` gets the caller's own role. A ``request`` that was answered changes nothing.
        """
        caller = principal.actor, principal.session_id, current_address()
        now = int(self._clock() * 1e6)

        def accounted(records: Records) -> Member:
            own_role = _manage(records, principal, resource)
            past = answered(records, request)
            if past is not None:
                return past
            member, before, after = work(records, own_role)
            if before is not after:
                change = RoleChange(new_id("out"), *caller, resource, user_id, before, after)
                records.audit_outbox.add(change)
            return answered_first(records, request, member, now)

        return await self._changes.make(accounted, of_user=user_id, audited=True)


def _tell(records: Records, principal: Principal, member: Member, change: Change) -> None:
    """Where the role is, and whose it is: they learn of a place that they can't follow yet."""
    add_to_outbox(records, principal, scope_of(member.resource), change)
    add_to_outbox(records, principal, user_scope(member.user_id), change)


def _only_conversations_have_guests(resource: ResourceId, role: Role) -> None:
    if role is Role.GUEST and not resource.startswith("conv_"):
        raise invalid("role", "only a conversation has guests; a workspace's least role is VIEWER")


def _manage(records: Records, principal: Principal, resource: ResourceId) -> Role:
    """The caller's role, high enough to manage members; the resource is locked."""
    records.members.lock(resource)
    return require(records, principal, resource, Permission.MANAGE)


def _only_owners(own_role: Role, *touched: Role) -> None:
    if Role.OWNER in touched and own_role is not Role.OWNER:
        raise denied(Permission.MANAGE)


def _keep_an_owner(records: Records, member: Member) -> None:
    """Before a member stops being what it is: somebody else must be an owner."""
    if member.role is Role.OWNER and records.members.count_owners(member.resource) <= 1:
        raise DomainError(Reason.LAST_OWNER, resource=member.resource)


def _member(records: Records, resource: ResourceId, user_id: UserId) -> Member:
    member = records.members.get(resource, user_id)
    if member is None:
        raise not_found(_name(resource, user_id))
    return member


def _name(resource: ResourceId, user_id: UserId) -> str:
    return f"{resource}/members/{user_id}"


def _times_us(records: Records, resource: ResourceId) -> tuple[int, int]:
    """When the resource was made and last active: a user's lists are in these orders."""
    if resource.startswith("ws_"):
        found = records.workspaces.get(WorkspaceId(resource))
        return (found.create_us, found.create_us) if found else (0, 0)
    conversation = records.conversations.get(ConversationId(resource))
    if conversation is None:
        return 0, 0
    return conversation.create_us, conversation.last_activity_us
