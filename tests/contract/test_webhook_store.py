"""Every store keeps what is to be told, webhooks, and deliveries."""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import pytest
from sqlalchemy import Connection, update

from antiphon.auth.v1.audit_service_pb2 import RecordSecurityEventsRequest
from antiphon.dispatcher.v1 import webhook_pb2 as pb
from antiphon.events.v1.event_pb2 import Event
from antiphon_server.auth.adapters.server_secret import MasterSecret
from antiphon_server.dispatcher.adapters.sql import SqlTurnStore
from antiphon_server.dispatcher.model import (
    ConversationId,
    Order,
    Parent,
    Policy,
    Turn,
    TurnId,
)
from antiphon_server.dispatcher.model import Outcome as TurnOutcome
from antiphon_server.dispatcher.model import State as TurnState
from antiphon_server.notifying.adapters.notes import is_told, note_of_end, note_of_wait
from antiphon_server.notifying.adapters.rows import Sealing, delivery_row
from antiphon_server.notifying.adapters.sql_deliveries import SqlDeliveries
from antiphon_server.notifying.adapters.sql_notes import SqlNotes
from antiphon_server.notifying.adapters.sql_webhooks import MOST, SqlWebhooks
from antiphon_server.notifying.adapters.tables import deliveries, trail_outbox, webhooks
from antiphon_server.notifying.encoding import new_webhook
from antiphon_server.notifying.model import (
    Attempt,
    Claimed,
    Delivery,
    DisabledReason,
    Outcome,
    Secret,
    State,
    Verdict,
    Webhook,
)
from antiphon_server.runtime.access.principal import Principal, SessionId, UserId, set_principal
from antiphon_server.runtime.errors import Reason
from antiphon_server.runtime.storage.database import Database
from antiphon_server.runtime.trail.outbox import SqlOutbox
from tests.e2e.refusals import Refused
from tests.fakes.databases import on_each_kind
from tests.fakes.newer import VALUE

database = on_each_kind(lambda it: it, webhooks.metadata)
ANN, BOB = "users/user_0000000ann", "users/user_0000000bob"
HOME, AWAY = "ws_00000001", "ws_00000002"
HOOK = "https://hooks.example:8443/in"
DUE_US = 1_000_000


def _host(url: str) -> str:
    return url.split("/")[2]


class World:
    """A database, as a server sees it."""

    def __init__(self, database: Database, secret: MasterSecret) -> None:
        self.database, sealing = database, Sealing(secret)
        self.notes = SqlNotes(database, sealing, _host)
        self.hooks = SqlWebhooks(database, sealing)
        self.deliveries = SqlDeliveries(database, sealing)
        self.kept = Kept(self.notes)
        self.turns = SqlTurnStore(database, self.kept)

    async def hook(self, number: int = 1, owner: str = ANN, **said: object) -> Webhook:
        """A webhook that is there."""
        message = pb.Webhook(webhook_id=f"wh_{number:08}", url=HOOK, **said)  # type: ignore[arg-type]
        wanted = new_webhook(message, owner, ANN)
        kept = replace(wanted, secrets=(Secret(b"key"),), created_us=7, etag=f"etag_{number}")
        return await self.hooks.add(kept)

    async def told(self, *turns: Turn) -> int:
        """Tell of their ends."""
        return await self.notes.told([note_of_end(it) for it in turns], DUE_US)

    async def claim(self, now_us: int = DUE_US, *busy: str, limit: int = 10) -> list[Claimed]:
        """Take what is due."""
        due = await self.deliveries.due(now_us, (), busy, (), limit)
        return list(await self.deliveries.claim(due, now_us, now_us + 100))

    async def tell(self, *turns: Turn, keep: bool = True) -> None:
        """Tell of their ends, which were kept before."""
        notes = [note_of_end(it) for it in turns]
        for note in notes if keep else ():
            await self.notes.add(note)
        await self.notes.told(notes, DUE_US)

    async def fill(self) -> tuple[int | None, int]:
        """Since when the first webhook has no room, and how many it was not told of."""
        found = await self.hooks.get(ANN, "wh_00000001")
        assert found is not None
        return found.full_us, found.dropped

    async def ended(self, it: Turn) -> None:
        """Store that it has begun, and then that it has ended."""
        await self.turns.add(replace(it, state=TurnState.RUNNING, outcome=None))
        await self.turns.put(it)

    async def trail(self) -> list[str]:
        """What waits for the audit trail."""
        waits = await SqlOutbox(self.database, trail_outbox).first(0, 1000)
        requests = [RecordSecurityEventsRequest.FromString(it.body) for _, it in waits]
        return [each.WhichOneof("detail") or "" for it in requests for each in it.events]


class Kept:
    """What the turns' store is handed, without the rest of the room."""

    def __init__(self, notes: SqlNotes) -> None:
        self.notes = notes
        self.heard: list[str] = []

    def keep(self, connection: Connection, ended: Sequence[Turn]) -> Callable[[], None]:
        """Note which, when they are kept."""
        ids = [note.notification_id for note in self.notes.keep(connection, ended)]
        return lambda: self.heard.extend(ids)


@pytest.fixture
async def world(database: Database) -> World:
    set_principal(Principal("user", UserId("user_0000000ann"), SessionId("sess_1")))
    return World(database, MasterSecret(b"s" * 32))


def turn(number: int = 1, creator: str = ANN, workspace: str = HOME, **more: Any) -> Turn:
    """A turn that has ended."""
    order = Order(b"", "echo", Policy.QUEUE, parent=more.pop("parent", None))
    begun = Turn(
        TurnId(f"turn_{number:08}"),
        ConversationId("conv_00000001"),
        creator,
        number,
        b"digest",
        order,
        workspace,
        node="here",
        seen=more.pop("seen", False),
    )
    outcome = TurnOutcome(more.pop("state", TurnState.SUCCEEDED))
    return begun.ended(outcome, number + 1, has_reply=True)


async def test_the_end_of_a_turn_is_kept_with_it_once(world: World) -> None:
    ended = turn()
    begun = replace(ended, state=TurnState.RUNNING, outcome=None)
    await world.turns.add(begun)
    assert await world.notes.left(DUE_US, 10) == []
    for _ in range(2):
        await world.turns.put(ended)
    assert [it.notification_id for it in await world.notes.left(DUE_US, 10)] == [
        note_of_end(ended).notification_id
    ]
    assert await world.notes.left(1, 10) == []


async def test_what_is_kept_is_heard_of_behind_its_commit(world: World) -> None:
    await world.ended(turn())
    assert world.kept.heard == [note_of_end(turn()).notification_id]


@pytest.mark.parametrize(
    "ended",
    [
        {"seen": True},
        {"state": TurnState.CANCELLED},
        {"creator": "services/dispatcher"},
    ],
)
async def test_what_its_creator_knows_is_kept_where_a_webhook_may_be_told(
    world: World, ended: dict[str, Any]
) -> None:
    await world.hook(1, BOB)
    await world.hook(2, f"workspaces/{HOME}", disabled=True)
    await world.hook(3, f"workspaces/{AWAY}")
    await world.ended(turn(1, **ended))
    assert await world.notes.left(DUE_US, 10) == []
    assert world.kept.heard == []
    await world.ended(turn(2, workspace=AWAY, **ended))
    assert len(await world.notes.left(DUE_US, 10)) == 1


async def test_one_webhook_of_its_creator_is_enough(world: World) -> None:
    await world.hook(1, ANN)
    await world.ended(turn(1, seen=True))
    assert len(await world.notes.left(DUE_US, 10)) == 1


async def test_what_another_server_holds_is_not_noted(world: World) -> None:
    await world.turns.add(replace(turn(), state=TurnState.RUNNING, node="there", outcome=None))
    with Refused(Reason.FENCED):
        await world.turns.put(turn())
    assert await world.notes.left(DUE_US, 10) == []


async def test_turns_of_turns_are_not_noted(world: World) -> None:
    asked = turn(parent=Parent(TurnId("turn_parent01"), "echo", 1))
    assert not is_told(asked)
    await world.turns.add(replace(asked, state=TurnState.RUNNING, outcome=None))
    await world.turns.put(asked)
    assert await world.notes.left(DUE_US, 10) == []


async def test_what_is_told_has_a_delivery_for_each_webhook_that_wants_it_once(
    world: World,
) -> None:
    await world.hook(1)
    await world.hook(2, f"workspaces/{HOME}")
    await world.hook(3, BOB)
    await world.hook(4, f"workspaces/{AWAY}")
    await world.hook(5, handlers=["other"])
    await world.notes.add(note_of_end(turn()))
    for _ in range(2):
        await world.told(turn())
    claimed = await world.claim()
    assert sorted(it.webhook.webhook_id for it in claimed) == ["wh_00000001", "wh_00000002"]
    assert {it.delivery.host for it in claimed} == {"hooks.example:8443"}
    assert await world.notes.left(DUE_US, 10) == []


async def test_ids_of_ends_and_waits_differ_and_stay(world: World) -> None:
    notes = [
        note_of_end(turn()),
        note_of_end(turn(2)),
        note_of_wait(turn(), "call_1", "", 5),
        note_of_wait(turn(), "call_1", "question_1", 5),
        note_of_wait(turn(), "call_2", "", 5),
    ]
    assert len({it.notification_id for it in notes}) == len(notes)
    assert note_of_wait(turn(), "call_1", "", 99).notification_id == notes[2].notification_id


async def test_a_delivery_is_nobody_elses_until_its_claim_lapses(world: World) -> None:
    await world.hook()
    await world.told(turn())
    (mine,) = await world.claim(DUE_US)
    assert await world.claim(DUE_US + 99) == []
    (theirs,) = await world.claim(DUE_US + 100)
    taken = Attempt(Outcome.TAKEN, 204)
    done = Verdict(State.DELIVERED, None)
    assert not await world.deliveries.settle(mine, taken, done, DUE_US + 150)
    assert await world.deliveries.settle(theirs, taken, done, DUE_US + 160)
    found = await world.deliveries.get("wh_00000001", mine.delivery.notification_id)
    assert found is not None
    assert (found.state, found.attempts, found.status) == (State.DELIVERED, 1, 204)
    assert (found.next_us, found.attempt_us) == (None, DUE_US + 160)
    assert await world.claim(2 * DUE_US) == []


async def test_servers_that_claim_at_once_share_what_is_due(world: World) -> None:
    await world.hook()
    await world.told(*(turn(number) for number in range(1, 41)))
    shares = await asyncio.gather(*(world.claim(limit=10) for _ in range(6)))
    ids = [it.delivery.notification_id for share in shares for it in share]
    assert len(ids) == len(set(ids)) <= 40
    rest = [it.delivery.notification_id for it in await world.claim(limit=100)]
    assert len(set(ids + rest)) == 40


async def test_what_has_no_place_is_left_out(world: World) -> None:
    await world.hook()
    await world.hook(2)
    await world.told(turn())
    assert await world.deliveries.due(DUE_US, (), ["hooks.example:8443"], (), 10) == []
    (other,) = await world.deliveries.due(DUE_US, ["wh_00000001"], (), (), 10)
    assert other.webhook_id == "wh_00000002"
    assert len(await world.deliveries.due(DUE_US, (), (), (), 1)) == 1
    assert await world.deliveries.due(DUE_US - 1, (), (), (), 10) == []


async def test_what_is_due_says_whether_its_webhook_took_the_last(world: World) -> None:
    await world.hook()
    await world.told(turn(), turn(2))
    first, _ = due = await world.deliveries.due(DUE_US, (), (), (), 10)
    assert [it.failing for it in due] == [False, False]
    (claimed,) = await world.deliveries.claim([first], DUE_US, DUE_US + 100)
    await world.deliveries.settle(
        claimed, Attempt(Outcome.TIMEOUT), Verdict(State.WAITING, 9 * DUE_US), DUE_US
    )
    (left,) = await world.deliveries.due(DUE_US, (), (), (), 10)
    assert left.failing


async def test_what_is_given_back_is_due(world: World) -> None:
    await world.hook()
    await world.told(turn())
    assert len(await world.claim(DUE_US)) == 1
    await world.deliveries.release_all(DUE_US)
    (again,) = await world.claim(DUE_US)
    assert again.delivery.attempts == 0


async def test_what_waits_for_one_that_has_moved_is_counted_at_its_new_host(world: World) -> None:
    made = await world.hook()
    await world.told(turn())
    moved = new_webhook(pb.Webhook(url="https://new.example/in"), ANN, ANN)
    after = replace(made, url=moved.url, said=moved.said, etag="etag_new")
    assert await world.hooks.change(after, made.etag)
    (due,) = await world.deliveries.due(DUE_US, (), (), (), 10)
    assert due.host == "new.example:443"


async def test_failures_are_counted_from_the_first_until_one_is_taken(world: World) -> None:
    await world.hook()
    await world.told(turn(), turn(2))
    first, second = await world.claim()
    failed = Attempt(Outcome.TIMEOUT)
    for number in range(2):
        await world.deliveries.settle(first, failed, Verdict(State.WAITING, 10), 50 + number)
        found = await world.hooks.get(ANN, "wh_00000001")
        assert found is not None
        assert found.failing_us == 50
    await world.deliveries.settle(
        second, Attempt(Outcome.TAKEN), Verdict(State.DELIVERED, None), 60
    )
    found = await world.hooks.get(ANN, "wh_00000001")
    assert found is not None
    assert found.failing_us is None


@pytest.mark.parametrize("outcome", [Outcome.TAKEN, Outcome.TIMEOUT])
async def test_a_change_of_what_is_said_leaves_what_a_delivery_has_noted_meanwhile(
    world: World, outcome: Outcome
) -> None:
    await world.hook()
    await world.told(turn(), turn(2))
    first, second = await world.claim()
    waits, is_taken = Verdict(State.WAITING, 10), outcome is Outcome.TAKEN
    if is_taken:
        await world.deliveries.settle(first, Attempt(Outcome.TIMEOUT), waits, 50)
    read = await world.hooks.get(ANN, "wh_00000001")
    assert read is not None
    await world.deliveries.settle(second, Attempt(outcome), waits, 60)
    assert await world.hooks.change(replace(read, etag="etag_new"), read.etag)
    found = await world.hooks.get(ANN, "wh_00000001")
    assert found is not None
    assert (found.etag, found.failing_us) == ("etag_new", None if is_taken else 60)


async def test_one_that_is_enabled_again_begins_anew(world: World) -> None:
    await world.hook()
    await world.told(turn())
    (first,) = await world.claim()
    await world.deliveries.settle(
        first, Attempt(Outcome.TIMEOUT), Verdict(State.WAITING, DUE_US), 50
    )
    for disabled in (DisabledReason.BY_HAND, DisabledReason.NONE):
        read = await world.hooks.get(ANN, "wh_00000001")
        assert read is not None
        assert await world.hooks.change(
            replace(read, disabled=disabled, etag=f"etag_{disabled}"), read.etag
        )
        found = await world.hooks.get(ANN, "wh_00000001")
        assert found is not None
        assert (found.disabled, found.failing_us) == (disabled, None)


async def test_one_that_is_gone_has_nothing_that_waits_and_its_creator_is_noted(
    world: World,
) -> None:
    await world.hook()
    await world.told(turn(), turn(2))
    first, _ = await world.claim()
    gone = Verdict(State.FAILED, None, DisabledReason.GONE)
    await world.deliveries.settle(first, Attempt(Outcome.REFUSED, 410), gone, DUE_US)
    found = await world.hooks.get(ANN, "wh_00000001")
    assert found is not None
    assert found.disabled is DisabledReason.GONE
    assert await world.deliveries.waiting() == 0
    (note,) = await world.notes.left(2 * DUE_US, 10)
    assert (note.creator, note.about) == (ANN, None)
    assert await world.told(turn(3)) == 0


async def test_what_disables_one_by_itself_is_in_the_trail(world: World) -> None:
    await world.hook()
    await world.told(turn())
    (one,) = await world.claim()
    failing = Verdict(State.FAILED, None, DisabledReason.FAILING)
    await world.deliveries.settle(one, Attempt(Outcome.TIMEOUT), failing, DUE_US)
    assert await world.trail() == ["webhook_created", "webhook_updated"]
    waits = await SqlOutbox(world.database, trail_outbox).first(0, 1000)
    (told,) = RecordSecurityEventsRequest.FromString(waits[-1][1].body).events
    assert told.actor == "services/dispatcher"
    assert told.webhook_updated.disabled


async def test_more_than_a_webhook_has_room_for_is_counted_and_told_once(world: World) -> None:
    """The newest have none. When half is gone there is room again, and the next time is told."""
    world.notes = SqlNotes(world.database, Sealing(MasterSecret(b"s" * 32)), _host, most_waiting=4)
    await world.hook()
    await world.hook(2, f"workspaces/{HOME}", handlers=["other"])
    for few in (range(1, 4), range(4, 7), range(7, 9)):
        await world.tell(*(turn(number) for number in few))
    assert await world.deliveries.waiting() == 4
    assert await world.fill() == (DUE_US, 4)
    (note,) = await world.notes.left(2 * DUE_US, 10)
    overflowed = Event.FromString(note.body).webhook_overflowed
    assert (note.creator, overflowed.webhook_id) == (ANN, "wh_00000001")
    assert overflowed.waiting == 3
    done = Verdict(State.DELIVERED, None)
    for one in await world.claim(limit=2):
        await world.deliveries.settle(one, Attempt(Outcome.TAKEN), done, DUE_US)
    await world.tell(turn(9))
    assert await world.fill() == (None, 4)
    await world.tell(turn(10), turn(11))
    assert await world.fill() == (DUE_US, 5)
    assert len(await world.notes.left(2 * DUE_US, 10)) == 2


async def test_what_is_told_again_is_dropped_once(world: World) -> None:
    world.notes = SqlNotes(world.database, Sealing(MasterSecret(b"s" * 32)), _host, most_waiting=1)
    await world.hook()
    for _ in range(2):
        await world.notes.add(note_of_end(turn()))
    for _ in range(3):
        await world.tell(turn(), turn(2), keep=False)
    assert await world.deliveries.waiting() == 1
    assert (await world.fill())[1] == 0
    await world.tell(turn(2))
    for _ in range(2):
        await world.tell(turn(2), keep=False)
    assert (await world.fill())[1] == 1


async def test_what_has_waited_for_too_long_is_given_up_and_counted(world: World) -> None:
    """What somebody wanted again waits from then; what is posted right now comes to its end."""
    await world.hook()
    await world.told(*(turn(number) for number in range(1, 5)))
    _, again = await world.claim(limit=2)
    await world.deliveries.again("wh_00000001", again.delivery.notification_id, 5 * DUE_US)
    assert await world.deliveries.give_up(DUE_US, DUE_US, 10) == 0
    assert await world.deliveries.give_up(2 * DUE_US, DUE_US, 10) == 2
    assert await world.deliveries.waiting() == 2
    assert (await world.fill())[1] == 2
    assert await world.deliveries.give_up(2 * DUE_US, DUE_US + 200, 10) == 1
    (left,) = await world.claim(9 * DUE_US)
    assert left.delivery.notification_id == again.delivery.notification_id


async def test_servers_that_give_up_at_once_count_each_once(world: World) -> None:
    await world.hook()
    await world.told(*(turn(number) for number in range(1, 41)))
    many = await asyncio.gather(
        *(world.deliveries.give_up(2 * DUE_US, DUE_US, 50) for _ in range(4))
    )
    assert sum(many) == (await world.fill())[1] == 40


async def test_deliveries_are_listed_newest_first_and_by_state(world: World) -> None:
    await world.hook()
    for number in range(1, 6):
        await world.notes.told([note_of_end(turn(number))], number)
    (one,) = await world.claim(limit=1)
    await world.deliveries.settle(one, Attempt(Outcome.TAKEN), Verdict(State.DELIVERED, None), 9)
    page = await world.deliveries.list("wh_00000001", None, None, 3)
    assert [it.created_us for it in page] == [5, 4, 3]
    last = page[-1]
    rest = await world.deliveries.list(
        "wh_00000001", None, (last.created_us, last.notification_id), 3
    )
    assert [it.created_us for it in rest] == [2, 1]
    done = await world.deliveries.list("wh_00000001", State.DELIVERED, None, 10)
    assert [it.notification_id for it in done] == [one.delivery.notification_id]


async def test_only_what_has_ended_is_forgotten(world: World) -> None:
    await world.hook()
    await world.told(turn(), turn(2))
    (one,) = await world.claim(limit=1)
    await world.deliveries.settle(one, Attempt(Outcome.TAKEN), Verdict(State.DELIVERED, None), 9)
    assert await world.deliveries.forget(DUE_US, 10) == 0
    assert await world.deliveries.forget(DUE_US + 1, 10) == 1
    assert len(await world.deliveries.list("wh_00000001", None, None, 10)) == 1


async def test_secrets_open_here_and_nowhere_else(world: World) -> None:
    made = await world.hook()
    assert made.secrets == (Secret(b"key"),)
    other = World(world.database, MasterSecret(b"o" * 32))
    found = await other.hooks.get(ANN, "wh_00000001")
    assert found is not None
    assert found.secrets == ()
    rotated = replace(made, secrets=(Secret(b"new"), Secret(b"key", 99)), etag="etag_new")
    assert await world.hooks.rotate(rotated, made.etag)
    assert not await world.hooks.rotate(rotated, made.etag)
    assert await world.hooks.get(ANN, "wh_00000001") == rotated


async def test_each_owner_has_their_own_and_a_limit(world: World) -> None:
    await world.hook()
    assert await world.hooks.get(BOB, "wh_00000001") is None
    await world.hooks.delete(BOB, "wh_00000001")
    for number in range(2, MOST + 1):
        await world.hook(number)
    with Refused(Reason.LIMIT_EXCEEDED):
        await world.hook(MOST + 1)
    await world.hook(MOST + 2, BOB)
    assert len(await world.hooks.list(ANN)) == MOST


async def test_one_that_is_deleted_leaves_nothing(world: World) -> None:
    await world.hook()
    await world.told(turn())
    await world.hooks.delete(ANN, "wh_00000001")
    assert await world.deliveries.waiting() == 0
    assert await world.hooks.list(ANN) == []
    assert await world.trail() == ["webhook_created", "webhook_deleted"]


async def test_what_is_repeated_is_told_to_the_trail_once(world: World) -> None:
    made = await world.hook()
    assert await world.hook() == made
    off = replace(made, disabled=DisabledReason.BY_HAND, etag="etag_off")
    await world.told(turn())
    assert await world.hooks.change(off, made.etag)
    assert not await world.hooks.change(off, made.etag)
    assert await world.deliveries.waiting() == 0
    assert await world.trail() == ["webhook_created", "webhook_updated"]


async def test_what_came_while_its_webhook_went_is_not_posted(world: World) -> None:
    made = await world.hook()
    await world.hook(2)
    off = replace(made, disabled=DisabledReason.BY_HAND, etag="etag_off")
    await world.hooks.change(off, made.etag)
    await world.hooks.delete(ANN, "wh_00000002")
    row = delivery_row(Delivery("wh_00000001", "ntf_1", "host", 5, b"{}", next_us=5))
    rows = [row, {**row, "webhook_id": "wh_00000002"}]
    await world.database.write(lambda it: it.execute(deliveries.insert(), rows))
    assert await world.claim() == []
    assert await world.deliveries.waiting() == 0
    assert len(await world.deliveries.list("wh_00000001", State.FAILED, None, 10)) == 1
    assert await world.deliveries.list("wh_00000002", None, None, 10) == []


async def test_what_a_newer_server_stored_is_read(world: World) -> None:
    """Why a webhook is told nothing, and what became of a delivery: it holds up no other."""
    await world.hook(1)
    await world.hook(2)
    await world.tell(turn(1))
    number = {"disabled": VALUE}
    await world.database.write(
        lambda it: it.execute(
            update(webhooks).where(webhooks.c.webhook_id == "wh_00000001").values(number)
        )
    )
    states = {"outcome": VALUE}
    await world.database.write(lambda it: it.execute(update(deliveries).values(states)))
    assert [it.disabled for it in await world.hooks.list(ANN)] == [VALUE, DisabledReason.NONE]
    assert [it.delivery.outcome for it in await world.claim()] == [VALUE]
