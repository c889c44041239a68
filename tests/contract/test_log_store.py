"""Every log store keeps the same promises."""

import asyncio
import tracemalloc
from dataclasses import replace

import pytest
from sqlalchemy import delete, update

from antiphon.events.v1 import event_pb2
from antiphon_server.events.adapters import sql, sql_told
from antiphon_server.events.adapters.sql import SqlLogStore
from antiphon_server.events.adapters.tables import metadata, scopes, told
from antiphon_server.events.model import (
    Append,
    Appended,
    Cursor,
    Fence,
    Kind,
    NewEvent,
    Offset,
    Record,
    Redaction,
    Scope,
    new_epoch,
)
from antiphon_server.events.ports import LogStore
from antiphon_server.runtime.errors import DomainError, Reason
from tests.e2e.refusals import Refused
from tests.fakes.databases import on_each_kind

SCOPE = Scope("conversations/conv_00000001")
OTHER = Scope("conversations/conv_00000002")
MIB = 1 << 20
ALL = (Offset(0), 1000, 1 << 20, ())


store = on_each_kind(SqlLogStore, metadata)


def event(body: bytes = b"\x2a\x01x", kind: int = 10, turn_id: str = "") -> NewEvent:
    """Make an event whose body is a valid serialised one."""
    return NewEvent(kind, turn_id, body)


def append(
    *events: NewEvent,
    scope: Scope = SCOPE,
    request_id: str = "",
    digest: bytes = b"d",
    fence: Fence | None = None,
    fold: str = "",
) -> Append:
    """Make an append at time 5 s."""
    return Append(scope, events or (event(),), 5_000_000, request_id, digest, fence, fold)


async def places(store: LogStore) -> list[tuple[int, int]]:
    """What each event of the log covers."""
    return [(it.first, it.last) for it in (await store.read(SCOPE, *ALL)).records]


async def one(store: LogStore, it: Append) -> Appended:
    """Append alone. Raises what it was refused with."""
    (result,) = await store.append([it])
    if isinstance(result, DomainError):
        raise result
    return result


async def test_offsets_are_contiguous_per_scope(store: LogStore) -> None:
    """Appends of one batch and of many take the next offsets of their own scope."""
    results = await store.append(
        [append(event(), event()), append(scope=OTHER), append(), append(scope=OTHER)]
    )
    later = await one(store, append(event(), event(), event()))
    places = [(r.first, r.last) for r in [*results, later] if isinstance(r, Appended)]
    assert places == [(1, 2), (1, 1), (3, 3), (2, 2), (4, 6)]


async def test_what_was_appended_is_read_back_in_order(store: LogStore) -> None:
    """A page returns the events after a position, whole and in order."""
    await store.append(
        [append(event(b"\x2a\x01a"), event(b"\x2a\x01b")), append(event(b"\x2a\x01c"))]
    )
    page = await store.read(SCOPE, Offset(1), 10, 1 << 20, ())
    assert [(r.first, r.last, r.wire[:3]) for r in page.records] == [
        (2, 2, b"\x2a\x01b"),
        (3, 3, b"\x2a\x01c"),
    ]
    assert (page.position, page.at_head) == (3, True)


async def test_a_page_is_bounded_by_count_and_by_bytes(store: LogStore) -> None:
    """Both limits hold, and an event larger than the limit comes alone."""
    await store.append([append(*(event(b"\x2a\x7f" + b"x" * 127) for _ in range(10)))])
    by_count = await store.read(SCOPE, Offset(0), 3, 1 << 20, ())
    by_bytes = await store.read(SCOPE, Offset(0), 10, 300, ())
    alone = await store.read(SCOPE, Offset(4), 10, 1, ())
    assert [(p.position, p.at_head) for p in (by_count, by_bytes, alone)] == [
        (3, False),
        (2, False),
        (5, False),
    ]
    exactly_all = await store.read(SCOPE, Offset(0), 10, 1 << 20, ())
    assert (exactly_all.position, exactly_all.at_head) == (10, True)


@pytest.mark.parametrize("kinds", [(), (10,)])
async def test_what_does_not_fit_a_page_is_not_held(
    store: LogStore, kinds: tuple[int, ...]
) -> None:
    """Also where the database's driver fetches whole results."""
    body = b"\x2a\xff\xff\x3f" + b"x" * (MIB - 1)
    for _ in range(24):
        await store.append([append(event(body))])
    tracemalloc.start()
    try:
        page = await store.read(SCOPE, Offset(0), 1000, MIB, kinds)
        commits = await store.commits_after({SCOPE: Offset(0)}, 1000)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert (page.position, page.at_head) == (1, False)
    assert len(commits) == 1
    assert peak < 10 * MIB


async def test_a_filtered_page_says_how_far_it_looked(store: LogStore) -> None:
    """Events of other kinds are passed over and the position is behind them."""
    await store.append([append(event(kind=10), event(kind=11), event(kind=12))])
    page = await store.read(SCOPE, Offset(0), 10, 1 << 20, (11,))
    assert [r.first for r in page.records] == [2]
    assert (page.position, page.at_head) == (3, True)
    nothing = await store.read(SCOPE, Offset(0), 10, 1 << 20, (99,))
    assert (list(nothing.records), nothing.position) == ([], 3)


async def test_an_unknown_scope_is_an_empty_log_with_a_lasting_epoch(store: LogStore) -> None:
    """The epoch that a watch of an empty log was told stays true after the first append."""
    head = await store.head(SCOPE)
    assert (head.last, head.earliest) == (0, 1)
    result = await one(store, append())
    assert result.epoch == head.epoch == (await store.head(SCOPE)).epoch


async def test_logs_that_have_moved_are_told_from_those_that_stand(store: LogStore) -> None:
    """One that grew, one of another history, and one that there isn't; of any number."""
    many = [Scope(f"conversations/conv_{number:08}") for number in range(100, 1300)]
    await store.append([append(scope=it) for it in (SCOPE, OTHER, *many)])
    places = {it: await cursor(store, it) for it in (SCOPE, OTHER, *many)}
    assert await store.moved_from(places) == []
    assert await store.moved_from({}) == []
    await store.append([append(scope=it) for it in (OTHER, many[-1])])
    assert sorted(await store.moved_from(places)) == sorted([OTHER, many[-1]])
    assert await store.moved_from({SCOPE: places[SCOPE]}) == []
    epoch = Cursor(new_epoch(), Offset(1)).encode(SCOPE)
    unknown = Scope("conversations/conv_unknown0")
    asked = {SCOPE: epoch, unknown: Cursor(new_epoch(), Offset(3)).encode(unknown)}
    assert sorted(await store.moved_from(asked)) == sorted(asked)
    assert await store.moved_from({SCOPE: "nonsense"}) == [SCOPE]


async def test_a_log_that_is_trimmed_or_folded_stands_where_it_stood(store: LogStore) -> None:
    """Nothing was said since: its end is the same."""
    deltas = [event(kind=Kind.TEXT_DELTA, turn_id="t"), event(kind=17, turn_id="t")]
    await store.append([append(event(), *deltas, event())])
    there = {SCOPE: await cursor(store, SCOPE)}
    await store.trim(SCOPE, Offset(2))
    await store.fold(SCOPE, "t")
    assert await store.moved_from(there) == []


async def cursor(store: LogStore, scope: Scope) -> str:
    """Where a log ends."""
    head = await store.head(scope)
    return Cursor(head.epoch, head.last).encode(scope)


async def test_a_request_id_appends_once(store: LogStore) -> None:
    """The same request again gets the first answer, in one batch and in a later one."""
    first, again = await store.append([append(request_id="r"), append(request_id="r")])
    later = await one(store, append(request_id="r"))
    assert isinstance(first, Appended)
    assert isinstance(again, Appended)
    for result in (again, later):
        assert result.duplicate
        assert (result.first, result.last) == (first.first, first.last)
    assert (await store.head(SCOPE)).last == 1


async def test_a_request_id_with_another_body_is_refused(store: LogStore) -> None:
    """Reuse is an error and appends nothing; another scope's ids are its own."""
    await one(store, append(request_id="r", digest=b"1"))
    with Refused(Reason.REQUEST_ID_REUSED):
        await one(store, append(request_id="r", digest=b"2"))
    await one(store, append(request_id="r", digest=b"2", scope=OTHER))
    assert (await store.head(SCOPE)).last == 1


async def test_forgotten_requests_append_again(store: LogStore) -> None:
    """Only ids older than asked for are dropped."""
    await one(store, append(request_id="r"))
    assert await store.forget_requests(5_000_000) == 0
    assert await store.forget_requests(5_000_001) == 1
    assert (await one(store, append(request_id="r"))).first == 2


async def test_a_replaced_writer_is_fenced_out(store: LogStore) -> None:
    """A token lower than the highest seen is refused, in the batch and later; others pass."""
    results = await store.append(
        [
            append(fence=Fence("turn", 1)),
            append(fence=Fence("turn", 2)),
            append(fence=Fence("turn", 1)),
            append(fence=Fence("another", 1)),
        ]
    )
    with Refused(Reason.FENCED):
        await one(store, append(fence=Fence("turn", 1)))
    await one(store, append(fence=Fence("turn", 2)))
    refused = [isinstance(r, DomainError) and r.reason is Reason.FENCED for r in results]
    assert refused == [False, False, True, False]


async def test_a_fence_is_raised_without_an_event(store: LogStore) -> None:
    """The log stays as it is, in a batch with others too; lower tokens are refused from then on."""
    raising = Append(SCOPE, (), 5_000_000, fence=Fence("turn", 2))
    first, raised, late = await store.append([append(), raising, append(fence=Fence("turn", 1))])
    assert isinstance(first, Appended)
    assert isinstance(raised, Appended)
    assert (raised.first, raised.last) == (first.last + 1, first.last)
    assert isinstance(late, DomainError)
    with Refused(Reason.FENCED):
        await one(store, append(fence=Fence("turn", 1)))
    assert (await store.head(SCOPE)).last == first.last


async def test_folding_leaves_no_hole(store: LogStore) -> None:
    """The event behind each run of deltas covers their offsets; other turns' deltas stay."""
    mine, other = event(kind=16, turn_id="t"), event(kind=16, turn_id="u")
    kept = event(kind=10)
    # 1 kept, 2-3 mine, 4 kept, 5 mine, 6 other, 7 mine, 8 kept (the message), 9 mine (a stray)
    await store.append([append(kept, mine, mine, kept, mine, other, mine, kept, mine)])
    assert await store.fold(SCOPE, "t") == (4, 8)
    page = await store.read(SCOPE, *ALL)
    assert [(r.first, r.last) for r in page.records] == [(1, 1), (2, 4), (5, 6), (7, 8), (9, 9)]
    assert (await store.fold(SCOPE, "t")).removed == 0
    assert await store.fold(SCOPE, "u") == (1, 8)
    page = await store.read(SCOPE, *ALL)
    assert [(r.first, r.last) for r in page.records] == [(1, 1), (2, 4), (5, 8), (9, 9)]


async def test_folding_turns_at_once_leaves_no_hole(store: LogStore) -> None:
    """Turns whose deltas alternate end together, while others append: each place is covered."""
    turns = [f"t{number}" for number in range(8)]
    deltas = [event(kind=16, turn_id=turn) for turn in turns]
    await store.append([append(*deltas) for _ in range(20)] + [append()])
    folding = [store.fold(SCOPE, turn) for turn in turns]
    appending = [store.append([append()]) for _ in range(4)]
    await asyncio.gather(*folding, *appending)
    assert await places(store) == [(1, 161), *((at, at) for at in range(162, 166))]


async def test_an_append_folds_the_turn_that_ends_with_it(store: LogStore) -> None:
    """Deltas stored before and those of the append itself are covered by what follows them."""
    delta, message = event(kind=16, turn_id="t"), event(kind=10, turn_id="t")
    await store.append([append(), append(delta), append(delta, delta)])
    ended = await one(store, append(delta, message, event(), fold="t"))
    assert (ended.first, ended.last, ended.folded) == (5, 7, True)
    assert await places(store) == [(1, 1), (2, 6), (7, 7)]
    assert (await store.fold(SCOPE, "t")).removed == 0
    assert (await one(store, append())).first == 8


async def test_an_answer_that_came_at_once_is_folded_as_it_is_stored(store: LogStore) -> None:
    """A turn whose only delta comes with its end leaves the message alone in the log."""
    delta, message = event(kind=16, turn_id="t"), event(kind=10, turn_id="t")
    ended = await one(store, append(delta, message, fold="t"))
    assert (ended.first, ended.last, ended.folded) == (1, 2, True)
    assert await places(store) == [(1, 2)]


async def test_turns_that_end_together_are_folded_each(store: LogStore) -> None:
    """In one batch, in several scopes, beside appends that fold nothing."""
    for scope in (SCOPE, OTHER):
        await one(store, append(event(kind=16, turn_id="t"), scope=scope))
    ends = [append(event(), scope=scope, fold="t") for scope in (SCOPE, OTHER)]
    results = await store.append([*ends, append(scope=Scope("conversations/conv_00000003"))])
    assert [it.folded for it in results if isinstance(it, Appended)] == [True, True, False]
    assert await places(store) == [(1, 2)]
    other = await store.read(OTHER, *ALL)
    assert [(it.first, it.last) for it in other.records] == [(1, 2)]


async def test_what_lies_between_deltas_is_left_to_fold(store: LogStore) -> None:
    """Whether or not the append says that it has folded, Fold leaves the same log."""
    delta = event(kind=16, turn_id="t")
    await store.append([append(delta), append(event()), append(delta)])
    ended = await one(store, append(event(), fold="t"))
    if not ended.folded:
        assert (await store.fold(SCOPE, "t")).removed == 2
    assert await places(store) == [(1, 2), (3, 4)]


async def test_a_repeated_end_folds_nothing_more(store: LogStore) -> None:
    """A known request id is answered with the first place and time."""
    delta = event(kind=16, turn_id="t")
    first = await one(store, append(delta, event(), request_id="t:end", fold="t"))
    again = await one(store, append(delta, event(), request_id="t:end", fold="t"))
    assert (again.first, again.last, again.time_us) == (first.first, first.last, 5_000_000)
    assert again.duplicate
    assert await places(store) == [(1, 2)]


async def test_reading_inside_a_folded_range_gets_the_whole_event(store: LogStore) -> None:
    """A position within the range is before the event that covers it."""
    delta = event(kind=16, turn_id="t")
    await store.append([append(delta, delta, delta, event())])
    await store.fold(SCOPE, "t")
    page = await store.read(SCOPE, Offset(2), 10, 1 << 20, ())
    assert [(r.first, r.last) for r in page.records] == [(1, 4)]


async def test_trimming_keeps_what_reaches_beyond(store: LogStore) -> None:
    """The earliest offset is told truly, also when all is trimmed; offsets go on."""
    delta = event(kind=16, turn_id="t")
    await store.append([append(event(), delta, delta, event(), event())])
    await store.fold(SCOPE, "t")
    assert await store.trim(SCOPE, Offset(3)) == 2
    assert (await store.head(SCOPE)).earliest == 2
    assert await store.trim(SCOPE, Offset(99)) == 6
    head = await store.head(SCOPE)
    assert (head.last, head.earliest) == (5, 6)
    assert (await one(store, append())).first == 6


def _shortened(kind: int, body: bytes) -> bytes:
    return b"\x2a\x01-" if kind == 10 else body


async def test_words_are_taken_out_at_their_places(store: LogStore) -> None:
    """Of the events of a turn and at offsets; deltas are folded, and no place is missing."""
    delta = event(b"\x2a\x01d", kind=16, turn_id="turn_1")
    await one(store, append(event(), event(turn_id="turn_1"), delta, event(turn_id="turn_1")))
    await one(store, append(event(), event()))
    redaction = Redaction(Offset(1), Offset(5), [Offset(5)], ["turn_1"], _shortened)
    said = event(b"\x2a\x01e", kind=56)
    made = replace(append(said, request_id="erase:1"), redaction=redaction)
    place = await one(store, made)
    assert await places(store) == [(1, 1), (2, 2), (3, 4), (5, 5), (6, 6), (7, 7)]
    bodies = [it.wire[:3] for it in (await store.read(SCOPE, *ALL)).records]
    x, left = b"\x2a\x01x", b"\x2a\x01-"
    assert bodies == [x, left, left, left, x, b"\x2a\x01e"]
    await store.scrub()
    again = await one(store, made)
    assert (again.last, again.duplicate) == (place.last, True)


def tells(conversation_id: str, title: str = "x") -> NewEvent:
    """An event that tells of a conversation."""
    update_of = event_pb2.ConversationUpdated()
    update_of.conversation.conversation_id, update_of.conversation.title = conversation_id, title
    said = event_pb2.Event(conversation_updated=update_of)
    return event(said.SerializeToString(), kind=event_pb2.EVENT_KIND_CONVERSATION_UPDATED)


async def where(store: LogStore, conversation_id: str, most: int = 100) -> list[tuple[str, int]]:
    """Where it is told of, read by so many at once."""
    found: list[tuple[Scope, Record]] = []
    while page := await store.told_of(
        conversation_id, (found[-1][0], found[-1][1].last) if found else None, most
    ):
        found += page
    return [(scope, record.last) for scope, record in found]


HERE, ELSEWHERE = "conv_00000001", "conv_00000002"
USERS = [Scope(f"users/user_{number:08}") for number in range(4)]


@pytest.mark.parametrize("most", [1, 3, 100])
async def test_where_a_conversation_is_told_of_is_found(store: LogStore, most: int) -> None:
    """In whose log ever, and no other one; what is trimmed is told no more."""
    await store.append([append(event(), tells(HERE), tells(ELSEWHERE), scope=it) for it in USERS])
    await store.append([append(tells(HERE), event())])
    assert await where(store, HERE, most) == [*((it, 2) for it in USERS), (SCOPE, 1)]
    await store.append([append(tells(HERE), scope=USERS[0])])
    await store.trim(USERS[1], Offset(3))
    left = [(USERS[0], 2), (USERS[0], 4), (USERS[2], 2), (USERS[3], 2), (SCOPE, 1)]
    assert await where(store, HERE, most) == left
    assert await where(store, "conv_00000003", most) == []


async def test_what_an_older_server_has_told_is_found(
    store: SqlLogStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also between what newer ones told, and of more events than are noted at once."""
    monkeypatch.setattr(sql_told, "EVENTS_AT_ONCE", 3)
    monkeypatch.setattr(sql, "_TRUSTED_S", 0.0)

    async def forget() -> None:
        """Have the log be as an older server leaves it."""
        await store._database.write(lambda it: it.execute(delete(told)))
        await store._database.write(lambda it: it.execute(update(scopes).values(noted_offset=0)))
        store._others_noted_until = 0.0

    events = [tells(HERE), *[event()] * 5, tells(HERE)]
    await store.append([append(*events, scope=it) for it in (*USERS, SCOPE, OTHER)])
    found = [(it, last) for it in (*USERS, SCOPE, OTHER) for last in (1, 7)]
    assert sorted(await where(store, HERE)) == sorted(found)
    await forget()
    await store.append([append(tells(HERE), scope=USERS[0])])
    found = [(it, last) for it, last in found if it != OTHER]  # nobody tells of it there
    assert sorted(await where(store, HERE)) == sorted([*found, (USERS[0], 8)])
    await forget()
    await store.note_told()
    await store.append([append(tells(HERE), scope=USERS[0])])
    assert sorted(await where(store, HERE)) == sorted([*found, (USERS[0], 8), (USERS[0], 9)])
