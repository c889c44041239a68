"""Copies of messages, their sums, and how far they go."""

from dataclasses import replace

from antiphon_server.context.model.messages import (
    Content,
    Message,
    MessageId,
    MessageSize,
    Offset,
    Totals,
)
from antiphon_server.context.model.resources import ConversationId
from antiphon_server.context.ports import Records, Store
from tests.contract.context_store.world import TALK, said


async def test_messages_are_read_back_whole(store: Store) -> None:
    """Every field survives, found by id and by place."""
    messages = [said(number, f"turn_{number // 2}") for number in (1, 2, 5, 9)]
    await store.write(lambda r: r.messages.add(messages[:2]))
    await store.write(lambda r: r.messages.add(messages[2:]))
    here = TALK.conversation_id
    assert await store.read(lambda r: r.messages.find(here, messages[2].message_id)) == messages[2]
    assert await store.read(lambda r: r.messages.find(here, MessageId("msg_none0000"))) is None
    other = ConversationId("conv_00000002")
    assert await store.read(lambda r: r.messages.find(other, messages[2].message_id)) is None
    found = await store.read(
        lambda r: r.messages.between(here, Offset(2), Offset(8), rolled_back=True)
    )
    assert found == [messages[2], messages[1]]
    sizes = await store.read(lambda r: r.messages.sizes(here, Offset(9), 2, rolled_back=True))
    assert sizes == [MessageSize(Offset(5), 5, 4), MessageSize(Offset(2), 5, 4)]


async def test_totals_know_what_was_rolled_back(store: Store) -> None:
    """Sums end before a place; what was rolled back is told on its own, also twice."""
    here = TALK.conversation_id
    messages = [said(number, f"turn_{number % 3}", b"x" * number) for number in range(1, 10)]

    def work(records: Records) -> None:
        records.messages.add(messages)
        records.messages.roll_back(here, {"turn_1"})
        records.messages.roll_back(here, {"turn_1", "turn_none"})

    await store.write(work)

    def check(records: Records) -> None:
        for before in (None, *map(Offset, range(1, 11))):
            below = [it for it in messages if before is None or it.offset < before]
            undone = [it for it in below if it.turn_id == "turn_1"]
            assert records.messages.totals(here, before) == _sum(below)
            assert records.messages.left_out(here, before).every == _sum(undone)
            kept = records.messages.sizes(here, before, 99, rolled_back=False)
            assert [it.offset for it in kept] == [
                it.offset for it in reversed(below) if it not in undone
            ]
        alive = records.messages.between(here, Offset(1), Offset(9), rolled_back=False)
        assert alive == [it for it in reversed(messages) if it.turn_id != "turn_1"]

    await store.read(check)


def _sum(messages: list[Message]) -> Totals:
    return Totals(len(messages), sum(it.content.tokens for it in messages))


async def test_the_cursor_is_kept_until_it_is_cleared(store: Store) -> None:
    """Clearing forgets the messages of that conversation alone."""
    here, other = TALK.conversation_id, ConversationId("conv_00000002")

    def work(records: Records) -> None:
        assert records.messages.cursor(here) == ""
        records.messages.set_cursor(here, "a")
        records.messages.set_cursor(here, "b")
        records.messages.add([said(1)])
        records.messages.add([replace(said(1), conversation_id=other)])

    await store.write(work)
    assert await store.read(lambda r: r.messages.cursor(here)) == "b"
    await store.write(lambda r: r.messages.clear(here))
    assert await store.read(lambda r: r.messages.cursor(here)) == ""
    assert await store.read(lambda r: r.messages.totals(here, None)) == Totals(0, 0)
    assert await store.read(lambda r: r.messages.totals(other, None)) == Totals(1, 5)


async def test_what_was_trimmed_is_not_trimmed_again(store: Store) -> None:
    """The newest message from before a time, if it is beyond what was trimmed."""
    here = TALK.conversation_id

    def work(records: Records) -> None:
        records.messages.add([said(number) for number in (1, 2, 3, 4)])
        records.messages.set_cursor(here, "c")

    await store.write(work)
    ids = [here, ConversationId("conv_00000002")]
    assert await store.read(lambda r: r.messages.newest_before(ids, 10)) == {}
    assert await store.read(lambda r: r.messages.newest_before(ids, 31)) == {here: 3}
    await store.write(lambda r: r.messages.set_trimmed({here: Offset(3)}))
    assert await store.read(lambda r: r.messages.newest_before(ids, 31)) == {}
    assert await store.read(lambda r: r.messages.newest_before(ids, 41)) == {here: 4}


async def test_messages_of_many_conversations_are_read_at_once(store: Store) -> None:
    """By their names, in that order, whole; what there isn't is passed over."""
    other = ConversationId("conv_00000002")
    here = [said(number, "turn_1") for number in range(1, 90)]
    there = [replace(said(number), conversation_id=other) for number in range(1, 20)]
    await store.write(lambda r: r.messages.add(here))
    await store.write(lambda r: r.messages.add(there))
    asked = [here[7], there[3], *here[20:85], there[0]]
    names = [(it.conversation_id, it.message_id) for it in asked]
    nobody = [(other, here[80].message_id), (ConversationId("conv_none0000"), asked[0].message_id)]

    def work(records: Records) -> None:
        found = records.messages.those([*nobody, *names], 1 << 20, rolled_back=True)
        by_name = {(it.conversation_id, it.message_id): it for it in found}
        assert [by_name[name] for name in names] == asked
        assert len(found) == len(asked)
        assert records.messages.those([], 1 << 20, rolled_back=True) == []

    await store.read(work)


async def test_no_more_messages_are_read_at_once_than_may_be(store: Store) -> None:
    """The first ones that fit, by the bytes of what they say."""
    messages = [said(number, text=b"x" * 100) for number in (1, 2, 3)]
    await store.write(lambda r: r.messages.add(messages))
    names = [(it.conversation_id, it.message_id) for it in messages]

    def work(records: Records) -> None:
        for most, fit in ((99, 0), (100, 1), (250, 2), (300, 3)):
            found = records.messages.those(names, most, rolled_back=True)
            assert sorted(it.offset for it in found) == [1, 2, 3][:fit]

    await store.read(work)


async def test_what_no_prompt_holds_is_left_out_where_it_is_wished(store: Store) -> None:
    """Asides, and what was rolled back."""
    aside = replace(said(1), content=Content(b"", 0, aside=True))
    messages = [aside, said(2, "turn_1"), said(3, "turn_2")]
    names = [(it.conversation_id, it.message_id) for it in messages]

    def work(records: Records) -> None:
        records.messages.add(messages)
        records.messages.roll_back(TALK.conversation_id, {"turn_1"})
        found = records.messages.those(names, 1 << 20, rolled_back=False)
        assert [it.offset for it in found] == [3]
        assert len(records.messages.those(names, 1 << 20, rolled_back=True)) == 3

    await store.write(work)
