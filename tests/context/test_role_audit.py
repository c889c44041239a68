"""The audit trail learns of every change of a role, in order, once, and whose doing it was."""

from collections.abc import AsyncIterator

import pytest

from antiphon.auth.v1 import access_pb2
from antiphon.context.v1 import context_service_pb2 as pb
from antiphon_server.context.model.changes import EncodedEntry
from antiphon_server.context.model.resources import Role
from antiphon_server.context.service.relay import relay_to_trail
from antiphon_server.runtime.errors import Reason
from antiphon_server.runtime.net.addresses import set_address
from tests.context.entries import role_change_of
from tests.context.stand_ins import ANN, BOB, CAT, NOBODY
from tests.context.world import World
from tests.context.world import world as make_world
from tests.e2e.refusals import Refused


@pytest.fixture
async def world() -> AsyncIterator[World]:
    """A fresh world, whose answers wait for the trail for as long as a busy machine may take."""
    async with make_world(relay_wait_s=600.0) as made:
        yield made


async def give(world: World, resource: str, user: str = BOB) -> None:
    """Ann makes somebody a member."""
    await world.add(resource, user, access_pb2.ROLE_MEMBER)


async def waiting(world: World) -> list[EncodedEntry]:
    """What the trail is still to be told."""
    await world.context.to_trail.close()  # what was told is removed a moment later
    return await world.store.read(lambda r: r.audit_outbox.first(100))


async def test_a_change_is_on_record_when_it_is_answered(world: World) -> None:
    """With who did it, by which session and from where."""
    resource = await world.conversation()
    set_address("203.0.113.7")
    await give(world, resource)
    (change,) = world.audit.changes
    assert (change.actor, change.session_id, change.address) == (f"users/{ANN}", "s", "203.0.113.7")
    assert (change.resource, change.user_id) == (resource, BOB)
    assert (change.before, change.after) == (Role.NONE, Role.MEMBER)
    assert await waiting(world) == []


async def test_what_changes_no_role_is_not_told(world: World) -> None:
    """Neither what is refused nor a role that stays as it was."""
    resource = await world.conversation()
    with Refused(Reason.NOT_FOUND):
        await give(world, resource, NOBODY)
    with Refused(Reason.LAST_OWNER):
        await world.remove(resource, ANN)
    same = pb.UpdateMemberRequest(resource=resource, user_id=ANN, role=access_pb2.ROLE_OWNER)
    await world.client(ANN).UpdateMember(same)
    assert world.audit.changes == []
    assert await waiting(world) == []


async def test_a_change_is_answered_though_the_trail_is_away(world: World) -> None:
    """It is kept, and told as soon as the trail is back: each in its turn, as it was done."""
    first, second = await world.conversation(), await world.conversation()
    world.audit.broken = True
    set_address("203.0.113.7")
    await give(world, second)
    await give(world, first)
    await world.remove(second, BOB)
    kept = await waiting(world)
    assert world.audit.changes == []
    world.audit.broken = False
    set_address("192.0.2.9")
    await give(world, first, CAT)
    assert world.audit.changes[:3] == list(map(role_change_of, kept))
    assert [change.resource for change in world.audit.changes] == [second, first, second, first]
    assert [role_change_of(change).address for change in kept] == ["203.0.113.7"] * 3
    assert await waiting(world) == []


async def test_what_an_earlier_process_left_is_told_once(world: World) -> None:
    """Also what the trail knows already, but the process died before it could note that."""
    resource = await world.conversation()
    world.audit.broken = True
    await give(world, resource)
    await world.remove(resource, BOB)
    kept = await waiting(world)
    world.audit.broken = False
    await world.audit.role_changed(kept[0])
    relay = relay_to_trail(world.store, world.audit)
    assert await relay.relay_outbox()
    await relay.close()
    assert world.audit.changes == list(map(role_change_of, kept))
    assert await waiting(world) == []


async def test_the_log_does_not_wait_for_the_trail(world: World) -> None:
    """Nor do changes that the trail is not told of ask after it."""
    resource = await world.conversation()
    world.audit.broken = True
    await give(world, resource)
    await world.context.to_log.close()
    assert await world.store.read(lambda r: r.outbox.first(9)) == []
    world.audit.broken = False
    await world.conversation()
    assert len(await waiting(world)) == 1
