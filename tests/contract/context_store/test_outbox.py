"""Changes that are still to be told, and requests that may come again."""

import itertools
from typing import get_args

import pytest

from antiphon_server.context import encoding
from antiphon_server.context.model.changes import (
    Answer,
    Change,
    MemberAdded,
    OutboxEntry,
    PastRequest,
    RequestKey,
    Scope,
)
from antiphon_server.context.model.resources import Role
from antiphon_server.context.model.role_changes import RoleChange
from antiphon_server.context.ports import Records, Store
from antiphon_server.runtime.access.principal import SessionId
from tests.context.entries import entry_of, role_change_of
from tests.contract.context_store.world import ANN, OWNER, sample


async def to_log(store: Store, most: int = 99) -> list[OutboxEntry]:
    """What the log is to be told, as far as it waits."""
    return list(map(entry_of, await store.read(lambda r: r.outbox.first(most))))


async def to_trail(store: Store, most: int = 99) -> list[RoleChange]:
    """The same for the trail."""
    return list(map(role_change_of, await store.read(lambda r: r.audit_outbox.first(most))))


async def test_the_outbox_keeps_order_and_content(store: Store) -> None:
    """Every kind of change comes back as it was put in, those that wait longest first."""
    changes = tuple(map(sample, get_args(Change)))
    scope = Scope("conversations/conv_00000001")
    entries = [
        OutboxEntry(f"out_{99 - n}", scope, "users/x", changes[n:]) for n in range(len(changes))
    ]

    def work(records: Records) -> None:
        for entry in entries:
            records.outbox.add(entry)

    await store.write(work)
    assert await to_log(store, 3) == entries[:3]
    await store.write(lambda r: r.outbox.remove([entries[0].entry_id, entries[2].entry_id]))
    assert await to_log(store) == [entries[1], *entries[3:]]
    assert {it.listener for it in await store.read(lambda r: r.outbox.first(99))} == {scope}


async def test_the_trails_outbox_is_one_of_its_own(store: Store) -> None:
    """A change of a role comes back as it was put in, with whose doing it was, in order."""
    entries = [
        RoleChange(
            f"out_{9 - number}",
            "users/user_bob00000",
            SessionId("sess_1"),
            "2001:db8::/64",
            OWNER.resource,
            ANN,
            before,
            after,
        )
        for number, (before, after) in enumerate(itertools.permutations(Role, 2))
    ]

    def work(records: Records) -> None:
        for entry in entries:
            records.audit_outbox.add(entry)

    await store.write(work)
    assert await to_log(store) == []
    assert await to_trail(store, 3) == entries[:3]
    await store.write(lambda r: r.audit_outbox.remove([it.entry_id for it in entries[1:]]))
    assert await to_trail(store) == entries[:1]


async def test_what_is_set_aside_is_kept_until_it_is_known(store: Store) -> None:
    """Whole, in order, of each outbox for itself; twice is once."""
    scope = Scope("conversations/conv_00000001")
    entries = [OutboxEntry(f"out_{n}", scope, "users/x", (MemberAdded(OWNER),)) for n in range(4)]

    def work(records: Records) -> None:
        for entry in entries:
            records.outbox.add(entry)
        for _ in range(2):
            records.outbox.set_aside("out_0", "INVALID_ARGUMENT", 5)
        records.outbox.set_aside("out_2", "INVALID_ARGUMENT", 6)
        records.outbox.set_aside("out_9", "INVALID_ARGUMENT", 7)
        records.audit_outbox.forget(["out_0"])

    await store.write(work)
    assert await to_log(store) == [entries[1], entries[3]]
    assert await store.read(lambda r: r.outbox.count_set_aside()) == 2
    assert await store.read(lambda r: r.audit_outbox.count_set_aside()) == 0
    (place, first), (_, second) = await store.read(lambda r: r.outbox.set_aside_after(0, 9))
    assert [entry_of(first), entry_of(second)] == [entries[0], entries[2]]
    found = await store.read(lambda r: (r.outbox.set_aside_after(place, 1), r.outbox.first(9)))
    assert found[0][0][1] == second
    await store.write(lambda r: r.outbox.forget(["out_0", "out_1"]))
    assert await store.read(lambda r: r.outbox.count_set_aside()) == 1
    assert await to_log(store) == [entries[1], entries[3]]


async def test_requests_are_remembered_for_a_time(store: Store) -> None:
    """By caller and id, with the first answer as it was; old ones can be dropped."""
    one, other = Answer("workspace", b"one"), Answer("member", b"other")

    def work(records: Records) -> None:
        assert records.requests.add(RequestKey("users/a", "r1", b"1"), one, 10)
        records.requests.add(RequestKey("users/a", "r2", b"2"), other, 20)

    await store.write(work)
    again = RequestKey("users/a", "r1", b"1")
    assert not await store.write(lambda r: r.requests.add(again, other, 30))
    found = await store.read(lambda r: r.requests.find("users/a", "r1"))
    assert found == PastRequest(b"1", one)
    found = await store.read(lambda r: r.requests.find("users/a", "r2"))
    assert found == PastRequest(b"2", other)
    assert await store.read(lambda r: r.requests.find("users/b", "r1")) is None
    assert await store.write(lambda r: r.requests.forget(20)) == 1
    assert await store.read(lambda r: r.requests.find("users/a", "r1")) is None
    assert await store.read(lambda r: r.requests.find("users/a", "r2")) is not None


@pytest.mark.parametrize("kind", encoding.CODECS)
def test_a_stored_answer_is_decoded_as_it_was(kind: type) -> None:
    """Every field survives; servers of the version before find its decoder by the same name."""
    answer, codec = sample(kind), encoding.CODECS[kind]
    stored = codec.to_answer(answer)
    assert codec.from_answer(stored) == answer
    assert stored.kind == kind.__name__.lower()
