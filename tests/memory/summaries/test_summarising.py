"""Long conversations are summarised in the background, once, and of what stands there now."""

import asyncio
from collections.abc import AsyncIterator

import pytest

from antiphon.context.v1 import context_service_pb2
from antiphon.events.v1 import event_service_pb2
from antiphon_server.memory.adapters.tables import summaries as table
from antiphon_server.memory.model import ConversationId, MessageId
from antiphon_server.memory.summaries.blocks import MOST, cut
from antiphon_server.memory.summaries.model import FAN_OUT, IMPORT, Node, Place, Posted, State
from antiphon_server.memory.summaries.writing import PAUSE_S
from tests.context.stand_ins import ANN, SERVICE
from tests.memory.summaries.stage import Logs, Model, Stage, of, staged, texts

LEVEL_1 = MOST * FAN_OUT
SECRET = MessageId("msg_000secret")


@pytest.fixture
async def stage() -> AsyncIterator[Stage]:
    async with staged() as made:
        yield made


async def stored(stage: Stage) -> bytes:
    """All that the table of summaries says."""
    rows = await stage.store._database.read(lambda it: it.execute(table.select()).all())
    return b"".join(row.body for row in rows)


async def test_blocks_are_summarised_on_each_level(stage: Stage) -> None:
    """With what people said apart, each sentence with its message; repeated, nothing is made."""
    here, server = await stage.world.conversation(), stage.server()
    ids = await stage.fill(here, LEVEL_1 + 5)
    assert await server.summarise(here) == FAN_OUT + 1
    found = await server.summaries(here)
    assert [it.node for it in found] == [*(Node(0, at) for at in range(FAN_OUT)), Node(1, 0)]
    first, coarse = found[0], found[-1]
    assert (first.first_message_id, first.last_message_id) == (ids[0], ids[MOST - 1])
    assert (coarse.first_message_id, coarse.messages) == (ids[0], LEVEL_1)
    assert all(line.author.startswith("users/") for line in first.people)
    assert all(line.author == "handlers/echo" for line in first.assistants)
    assert {line.message_id for line in coarse.lines} <= set(ids)
    assert first.people[0].author_name
    assert await server.summarise(here) == 0


async def test_a_conversation_that_goes_on_gets_what_is_new(stage: Stage) -> None:
    """And nothing of what was made is made again."""
    here, server = await stage.world.conversation(), stage.server()
    await stage.fill(here, MOST + 1)
    assert await server.summarise(here) == 1
    await stage.fill(here, MOST, MOST + 1)
    assert await server.summarise(here) == 1
    assert [it.node.number for it in await server.summaries(here)] == [0, 1]


async def test_two_servers_make_everything_once(stage: Stage) -> None:
    """At the same time, whatever their order."""
    here, servers = await stage.world.conversation(), [stage.server(), stage.server()]
    await stage.fill(here, MOST * 5 + 1)
    made = await asyncio.gather(*(it.summarise(here) for it in servers))
    assert sum(made) == 5
    assert len(await servers[0].summaries(here)) == 5


async def test_what_a_server_has_left_another_goes_on_with(stage: Stage) -> None:
    """Nobody has to ask it for that conversation."""
    here, first, second = await stage.world.conversation(), stage.server(), stage.server()
    await stage.fill(here, MOST * 3 + 1)
    first.summarising.want(ConversationId(here))
    await first.summarising._read_on()
    assert await second.summarise() == 3
    assert (await second.listed(here)).pending == 0


async def test_an_erased_message_is_gone_and_its_summary_made_anew(stage: Stage) -> None:
    """It isn't shown meanwhile, and what is of other messages stays."""
    here, server = await stage.world.conversation(), stage.server()
    await stage.fill(here, 4)
    await stage.ask(here, "Ann decided that Xylophone42 costs 900 in Lyon.", SECRET)
    await stage.fill(here, LEVEL_1, 4)
    await server.summarise(here)
    before = await server.summaries(here)
    assert "Xylophone42" in texts(of(before, 0, 0))
    await stage.erase(here, SECRET)
    meanwhile = await server.listed(here)
    assert Node(0, 0) not in {it.node for it in meanwhile.summaries}
    assert Node(1, 0) not in {it.node for it in meanwhile.summaries}
    assert meanwhile.pending == 2
    shown = await server.shown(here, 5000)
    assert all(it.node.number for it in shown.summaries)
    await server.summarising._read_on()
    assert b"Xylophone42" not in await stored(stage)
    assert await server.summarise() == 2
    after = await server.summaries(here)
    assert "Xylophone42" not in "".join(map(texts, after))
    assert of(after, 0, 0).messages == of(before, 0, 0).messages - 1
    assert of(after, 0, 1) == of(before, 0, 1)


async def test_a_stretch_of_which_all_is_erased_has_no_summary(stage: Stage) -> None:
    """It is not pending either, what came after it has its own, and no prompt is told of it."""
    here, server = await stage.world.conversation(), stage.server()
    ids = await stage.fill(here, 2 * MOST + 1)
    await server.summarise(here)
    await stage.erase(here, *ids[:MOST])
    await server.summarise(here)
    listed = await server.listed(here)
    assert ([it.node for it in listed.summaries], listed.pending) == ([Node(0, 1)], 0)
    first_page = await server.listed(here, 1)
    assert (first_page.summaries, first_page.last) == ([], Node(0, 0))
    shown = await server.shown(here, 5000)
    assert ([it.node for it in shown.summaries], shown.pending) == ([Node(0, 1)], 0)


async def test_what_is_to_be_forgotten_now_is_gone_when_that_returns(stage: Stage) -> None:
    """For whoever erases, before they answer."""
    here, server = await stage.world.conversation(), stage.server()
    await stage.ask(here, "Ann decided that Xylophone42 costs 900 in Lyon.", SECRET)
    await stage.fill(here, MOST)
    await server.summarise(here)
    assert b"Xylophone42" in await stored(stage)
    await server.summarising.forget(ConversationId(here), [SECRET])
    assert b"Xylophone42" not in await stored(stage)
    assert (await server.listed(here)).pending == 1


async def test_a_rolled_back_turn_is_in_no_summary(stage: Stage) -> None:
    """One that was summarised before is made anew."""
    here, server = await stage.world.conversation(), stage.server()
    await stage.world.say(here, "The Zeppelin77 flies to Oslo on 5 May.", "turn_zeppelin")
    await stage.fill(here, MOST)
    await server.summarise(here)
    (before,) = await server.summaries(here)
    assert "Zeppelin77" in texts(before)
    await stage.world.roll_back(here, "turn_zeppelin")
    assert (await server.listed(here)).summaries == []
    assert (await server.shown(here)).summaries == []
    assert await server.summarise() == 1
    (after,) = await server.summaries(here)
    assert "Zeppelin77" not in texts(after)
    assert after.messages == before.messages - 1


async def test_a_trimmed_log_is_summarised_from_what_context_has(stage: Stage) -> None:
    """Then it goes on with what the log has behind that."""
    here, server = await stage.world.conversation(), stage.server()
    await stage.fill(here, MOST * 2 + 1)
    listed = context_service_pb2.ListMessagesRequest(conversation_id=here)
    await stage.world.client(ANN).ListMessages(listed)  # they are in the projection then
    trim = event_service_pb2.TrimRequest(scope=f"conversations/{here}", before_offset=30)
    await stage.world.log_service.stub.Trim(trim)
    assert await server.summarise(here) == 2
    assert [it.messages for it in await server.summaries(here)] == [MOST, MOST]
    await stage.fill(here, MOST, MOST * 2 + 1)
    assert await server.summarise(here) == 1


async def test_a_log_that_begins_anew_is_summarised_anew(stage: Stage) -> None:
    """Of what context still has."""
    here, server = await stage.world.conversation(), stage.server()
    await stage.fill(here, MOST + 1)
    await server.summarise(here)
    await stage.world.rebuild(here)
    await stage.fill(here, MOST + 2, 100)
    for _ in range(3):
        await server.summarise(here)
    found = await server.summaries(here)
    assert len(found) in (1, 2)
    assert (await server.listed(here)).pending == 0


async def test_prompts_are_told_of_all_that_they_leave_out(stage: Stage) -> None:
    """Of nothing that they hold themselves, and within the budget."""
    here, server = await stage.world.conversation(), stage.server()
    assert (await server.shown(here)).summaries == ()
    ids = await stage.fill(here, LEVEL_1 + MOST * 2 + 1)
    await server.summarise(here)
    whole = await server.shown(here, 1_000_000)
    assert [it.node for it in whole.summaries] == [Node(0, at) for at in range(FAN_OUT + 2)]
    middle = ids[MOST * 3 + MOST // 2]
    asked = context_service_pb2.GetMessagesRequest(
        messages=[context_service_pb2.MessageName(conversation_id=here, message_id=middle)]
    )
    (message,) = (await stage.world.client(SERVICE).GetMessages(asked)).messages
    first_us = message.create_time.ToMicroseconds()
    part = await server.shown(here, 1_000_000, middle, first_us)
    assert [it.node for it in part.summaries] == [Node(0, at) for at in range(4)]
    told = {line.message_id for line in part.summaries[-1].lines}
    assert told
    assert told <= set(ids[MOST * 3 : MOST * 3 + MOST // 2])
    part = await server.shown(here, 1_000_000, ids[MOST * 3])
    assert [it.node for it in part.summaries] == [Node(0, at) for at in range(3)]
    short = await server.shown(here, 700)
    assert short.summaries[0].node == Node(1, 0)
    assert (short.left_out, short.pending) == (0, 0)


async def test_a_model_writes_what_was_extracted_once(stage: Stage) -> None:
    """Level by level, and asks nobody's name; two servers ask it once."""
    model, here = Model(), await stage.world.conversation()
    first, second = stage.server(model), stage.server(model)
    await stage.fill(here, LEVEL_1 + 1)
    await asyncio.gather(first.summarise(here), second.summarise(here))
    found = await first.summaries(here)
    assert {it.state for it in found} == {State.MODEL}
    assert len(model.asked) == FAN_OUT + 1
    assert {it.model for it in found} == {"scripted/model"}
    assert model.asked[0].startswith("> the user: Ann decided that topic")
    assert "> people: they spoke" in model.asked[-1]
    assert of(found, 1, 0).people[0].text.startswith("they spoke")


async def test_while_a_model_fails_extracts_stay_and_it_is_asked_later(stage: Stage) -> None:
    """Each time later than before."""
    model, here = Model(failing=True), await stage.world.conversation()
    server = stage.server(model)
    await stage.fill(here, MOST + 1)
    await server.summarise(here)
    (kept,) = await server.summaries(here)
    assert (kept.state, len(model.asked)) == (State.EXTRACT, 1)
    assert kept.people
    await server.summarise(here)
    assert len(model.asked) == 1
    server.clock[0] += PAUSE_S + 1
    await server.summarise(here)
    assert len(model.asked) == 2
    model.failing = False
    server.clock[0] += PAUSE_S + 1
    await server.summarise(here)
    assert len(model.asked) == 2
    server.clock[0] += PAUSE_S
    await server.summarise(here)
    (written,) = await server.summaries(here)
    assert (written.state, len(model.asked)) == (State.MODEL, 3)


async def test_what_a_log_has_no_more_is_read_on_where_another_server_stopped(
    stage: Stage,
) -> None:
    """Nothing is shown meanwhile, and nothing is there twice."""
    here, server = await stage.world.conversation(), stage.server()
    ids = await stage.fill(here, MOST * 2 + 1)
    listed = context_service_pb2.ListMessagesRequest(conversation_id=here)
    await stage.world.client(ANN).ListMessages(listed)
    trim = event_service_pb2.TrimRequest(scope=f"conversations/{here}", before_offset=30)
    await stage.world.log_service.stub.Trim(trim)
    where = ConversationId(here)
    end = await Logs(stage.world).end(where)
    some = [Posted(MessageId(it), "", 0, 10) for it in ids[: MOST + 1]]
    half, found = cut(Place(f"{IMPORT} {end.cursor} {ids[MOST]}"), some)
    assert await stage.store.keep(where, None, half, found, (), ())
    assert (await server.listed(here)).summaries == ()
    assert (await server.shown(here)).summaries == ()
    assert await server.summarise() == 2
    first, second = await server.summaries(here)
    assert [first.first_message_id, second.last_message_id] == [ids[0], ids[MOST * 2 - 1]]
