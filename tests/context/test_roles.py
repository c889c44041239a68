"""A removed member is refused, whatever a cache says."""

import asyncio
import random

import pytest

from antiphon_server.context.model.resources import ConversationId, ResourceId, Role, WorkspaceId
from antiphon_server.context.ports import Records
from antiphon_server.context.service.changes import Changes
from antiphon_server.context.service.conversations import Conversations, NewConversation
from antiphon_server.context.service.directory import Directory
from antiphon_server.context.service.members import Members
from antiphon_server.context.service.relay import relay_to_log, relay_to_trail
from antiphon_server.context.service.role_cache import Roles
from antiphon_server.runtime.access.principal import Principal, SessionId, UserId
from antiphon_server.runtime.errors import DomainError, Reason
from tests.context.stand_ins import ANN, Accounts, Held
from tests.context.world import World
from tests.context.world import world as make_world

USERS = [UserId(f"user_{number:08}") for number in range(6)]
ROOT = Principal("service", UserId("test"), SessionId(""))
ON_WORKSPACES = [Role.VIEWER, Role.MEMBER, Role.ADMIN, Role.OWNER]
ON_CONVERSATIONS = [*ON_WORKSPACES, Role.GUEST]


class Model:
    """The plain truth: direct roles, and which workspace a conversation is in."""

    def __init__(self) -> None:
        self.direct: dict[tuple[ResourceId, UserId], Role] = {}
        self.around: dict[ResourceId, ResourceId] = {}

    def effective(self, user: UserId, resource: ResourceId) -> Role:
        own = self.direct.get((resource, user), Role.NONE)
        outer = self.direct.get((self.around.get(resource, resource), user), Role.NONE)
        if Role.OWNER in (own, outer):
            return Role.OWNER
        return Role.ADMIN if Role.ADMIN in (own, outer) else own

    def owners(self, resource: ResourceId) -> int:
        return sum(r is Role.OWNER for (it, _), r in self.direct.items() if it == resource)


def changes_of(world: World, roles: Roles, directory: Directory) -> Changes:
    """Changes that are told to the world's log and trail."""
    relays = relay_to_log(world.store, world.log.append), relay_to_trail(world.store, world.audit)
    return Changes(world.store, roles, directory, *relays)


class Sequence:
    """Random changes to roles, each followed by questions about anybody's role."""

    def __init__(self, world: World, roles: Roles, seed: int) -> None:
        self.random, self.model, self.roles = random.Random(seed), Model(), roles
        directory = Directory(world.store, roles)
        changes = changes_of(world, roles, directory)
        self.members = Members(world.store, changes, world.clock, Accounts())
        self.conversations = Conversations(world.store, directory, changes, world.clock)
        self.resources: list[ResourceId] = []

    async def make(self, owner: UserId) -> None:
        """One more conversation, in the owner's workspace."""
        principal = Principal("user", owner, SessionId(""))
        wish = NewConversation(ConversationId(""), WorkspaceId(""))
        try:
            made = await self.conversations.create(principal, wish, None)
        except DomainError as error:
            if error.reason in (Reason.NOT_FOUND, Reason.PERMISSION_DENIED):
                return  # thrown out of the own workspace, or made less
            raise
        workspace = ResourceId(made.workspace_id)
        if workspace not in self.resources:
            self.resources.append(workspace)
            self.model.direct[workspace, owner] = Role.OWNER
        conversation = ResourceId(made.conversation_id)
        self.resources.append(conversation)
        self.model.around[conversation] = workspace
        self.model.direct[conversation, owner] = Role.OWNER

    async def step(self) -> None:
        """Add, change or remove a member, as the model says it must come out."""
        resource, user = self.random.choice(self.resources), self.random.choice(USERS)
        before = self.model.direct.get((resource, user))
        last = before is Role.OWNER and self.model.owners(resource) == 1
        on_workspace = resource.startswith("ws_")
        role = self.random.choice(ON_WORKSPACES if on_workspace else ON_CONVERSATIONS)
        if before is None:
            await self.members.add(ROOT, resource, user, role)
            self.model.direct[resource, user] = role
        elif self.random.random() < 0.5:
            if await self._refused(self.members.remove(ROOT, resource, user), last):
                return
            del self.model.direct[resource, user]
        else:
            refused = last and role is not Role.OWNER
            if not await self._refused(self.members.update(ROOT, resource, user, role), refused):
                self.model.direct[resource, user] = role

    async def _refused(self, change: object, expected: bool) -> bool:
        try:
            await change  # type: ignore[misc]
        except DomainError as error:
            refused = error.reason is Reason.LAST_OWNER
        else:
            refused = False
        assert refused == expected
        return refused

    async def check(self) -> None:
        """A few questions, of which the cache has answered most before."""
        for _ in range(3):
            resource, user = self.random.choice(self.resources), self.random.choice(USERS)
            assert await self.roles.effective(user, resource) is self.model.effective(
                user, resource
            )


LONG = [
    pytest.param(*case, marks=pytest.mark.proof)
    for case in ((10_000, 50_000), (2_000, 7), (500, 0))
]


@pytest.mark.parametrize(("steps", "cached"), [(600, 50_000), (300, 7), (100, 0), *LONG])
async def test_every_answer_is_the_truth(steps: int, cached: int) -> None:
    """In a long random sequence no answer differs from the plain model's."""
    async with make_world() as world:
        sequence = Sequence(world, Roles(world.store, cached), seed=steps + cached)
        for owner in USERS[:3] * 3:
            await sequence.make(owner)
        for number in range(steps):
            await sequence.step()
            await sequence.check()
            if number % 500 == 499:
                await sequence.make(USERS[3])


async def test_an_answer_read_before_a_change_is_not_kept(world: World) -> None:
    """A read that the change overtakes leaves nothing behind that could be found later."""
    conversation = ResourceId(await world.conversation())
    slow = Held(world.database)
    slow.may_answer.clear()
    roles = Roles(slow)
    asked = asyncio.create_task(roles.effective(UserId(ANN), conversation))
    await asyncio.sleep(0.05)

    def remove(records: Records) -> None:
        records.members.remove(conversation, UserId(ANN))
        records.members.remove(ResourceId("ws_ann00000"), UserId(ANN))

    await roles.changing(UserId(ANN), world.store.write(remove))
    slow.may_answer.set()
    assert await asked is Role.OWNER
    assert await roles.effective(UserId(ANN), conversation) is Role.NONE


async def test_a_change_counts_though_its_caller_is_gone(world: World) -> None:
    """A cancelled RemoveMember that was committed is known to who asks, to log and trail."""
    conversation = ResourceId(await world.conversation())
    roles = Roles(world.store)
    changes = changes_of(world, roles, Directory(world.store, roles))
    members = Members(world.store, changes, world.clock, Accounts())
    user = USERS[0]
    await members.add(ROOT, conversation, user, Role.MEMBER)
    assert await roles.effective(user, conversation) is Role.MEMBER
    removal = asyncio.create_task(members.remove(ROOT, conversation, user))
    await asyncio.sleep(0)
    removal.cancel()
    with pytest.raises(asyncio.CancelledError):
        await removal
    await changes.close()
    assert await roles.effective(user, conversation) is Role.NONE
    assert await world.store.read(lambda r: r.outbox.first(10)) == []
    assert [change.after for change in world.audit.changes] == [Role.MEMBER, Role.NONE]
