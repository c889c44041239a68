"""The window: what a model sees of a history."""

import random

import pytest

from antiphon.context.v1 import context_service_pb2 as pb
from antiphon.context.v1 import message_pb2
from antiphon_server.runtime.errors import Reason
from tests.context.stand_ins import ANN
from tests.context.world import World, parts, posted, texts
from tests.e2e.refusals import Refused


def cost(text: str) -> int:
    """The contract's estimate."""
    return -(-len(text.encode()) // 4) + 4


async def test_an_empty_conversation_has_an_empty_window(world: World) -> None:
    """Instructions are there from the beginning and cost nothing."""
    conversation = await world.conversation(instructions="Be kind.")
    assert await world.context_of(conversation) == pb.GetContextResponse(instructions="Be kind.")


@pytest.mark.parametrize("budget", [1, 5, 6, 10, 11, 12, 17, 18, 1000])
async def test_the_newest_that_fit_are_kept(world: World, budget: int) -> None:
    """The oldest of them first; the newest in any case; the rest is counted."""
    said = ["a", "bb", "ccccc", "d" * 9, "é" * 2]
    conversation = await world.conversation()
    for text in said:
        await world.say(conversation, text)
    window = await world.context_of(conversation, budget)
    kept = 1
    while kept < len(said) and sum(map(cost, said[-kept - 1 :])) <= budget:
        kept += 1
    assert texts(window.messages) == said[-kept:]
    assert window.estimated_tokens == sum(map(cost, said[-kept:]))
    assert window.omitted_messages == len(said) - kept
    assert window.omitted_tokens == sum(map(cost, said[:-kept]))


async def test_the_default_budget_is_4096(world: World) -> None:
    """A budget of 0 is the default."""
    conversation = await world.conversation()
    for _ in range(5):
        await world.say(conversation, "x" * 4 * 1020)
    window = await world.context_of(conversation)
    assert (len(window.messages), window.estimated_tokens) == (4, 4096)


async def test_a_window_may_end_earlier(world: World) -> None:
    """Messages after up_to_offset are neither kept nor counted."""
    conversation = await world.conversation()
    for number in range(6):
        await world.say(conversation, str(number))
    everything = (await world.context_of(conversation)).messages
    window = await world.context_of(conversation, 10, everything[3].offset)
    assert texts(window.messages) == ["2", "3"]
    assert window.omitted_messages == 2
    window = await world.context_of(conversation, 10, everything[0].offset - 1)
    assert window == pb.GetContextResponse()


async def test_what_was_rolled_back_is_left_out(world: World) -> None:
    """Both messages of the turn are, wherever they stand; the list still has them."""
    conversation = await world.conversation()
    for number in range(8):
        await world.say(conversation, str(number), f"turn_0000000{number // 2}")
    await world.context_of(conversation)
    await world.roll_back(conversation, "turn_00000003")
    await world.roll_back(conversation, "turn_00000001")
    await world.say(conversation, "8", "turn_00000004")
    window = await world.context_of(conversation)
    assert texts(window.messages) == ["0", "1", "4", "5", "8"]
    assert (window.rolled_back_messages, window.omitted_messages) == (4, 0)
    window = await world.context_of(conversation, 10)
    assert texts(window.messages) == ["5", "8"]
    assert (window.omitted_messages, window.omitted_tokens) == (3, 15)
    request = pb.ListMessagesRequest(conversation_id=conversation)
    assert len((await world.client(ANN).ListMessages(request)).messages) == 9


async def test_a_window_fits_a_message(world: World) -> None:
    """A huge budget does not make a huge answer: what is beyond 3 MiB is omitted."""
    conversation = await world.conversation()
    for _ in range(20):
        await world.say(conversation, "x" * 200_000)
    window = await world.context_of(conversation, 2_000_000)
    assert window.ByteSize() < 4 << 20
    assert len(window.messages) == 15
    assert window.omitted_messages == 5


def short(conversation: str, number: int) -> message_pb2.Message:
    """A message that is mostly ids."""
    return message_pb2.Message(
        message_id=f"msg_{number:076}",
        conversation_id=conversation,
        role=message_pb2.MESSAGE_ROLE_USER,
        author="a" * 160,
        turn_id=f"turn_{number:075}",
        parts=parts("ok"),
    )


async def test_a_window_of_many_short_messages_fits_a_message(world: World) -> None:
    """Ids and authors count too; from the store or from memory, and it fits a prompt."""
    conversation = await world.conversation()
    for first in range(0, 7_000, 1_000):
        said = [short(conversation, number) for number in range(first, first + 1_000)]
        await world.append(conversation, *map(posted, said))
    window = await world.context_of(conversation, 2_000_000)
    assert window.ByteSize() < 4 << 20
    assert 5_000 < len(window.messages) < 10_000
    assert await world.context_of(conversation, 2_000_000) == window
    assert await world.context_of(conversation, 2_000_000, 7_002) == window


async def test_any_history_any_budget(world: World) -> None:
    """A long random history gives what the plain rule gives."""
    chance = random.Random(7)
    conversation = await world.conversation()
    said: list[tuple[str, str]] = []
    for number in range(300):
        text, turn = "x" * chance.randrange(200), f"turn_{number // 2:08}"
        said.append((text, turn))
        await world.say(conversation, text or "y", turn)
    undone = {f"turn_{chance.randrange(150):08}" for _ in range(20)}
    for turn in sorted(undone):
        await world.roll_back(conversation, turn)
    alive = [text or "y" for text, turn in said if turn not in undone]
    for budget in (1, 50, 400, 3000, 9000, 100_000):
        window = await world.context_of(conversation, budget)
        kept = len(window.messages)
        assert texts(window.messages) == alive[-kept:]
        assert window.estimated_tokens == sum(map(cost, alive[-kept:]))
        assert window.estimated_tokens <= budget or kept == 1
        assert kept == len(alive) or sum(map(cost, alive[-kept - 1 :])) > budget
        assert window.omitted_tokens == sum(map(cost, alive[:-kept]))
        assert window.omitted_messages == len(alive) - kept
        assert window.rolled_back_messages == len(said) - len(alive)


@pytest.mark.parametrize("seed", range(4))
async def test_windows_of_a_conversation_that_goes_on(world: World, seed: int) -> None:
    """Asked again and again while things are said and undone, each is the plain rule's."""
    chance = random.Random(seed)
    conversation = await world.conversation()
    said: list[tuple[str, str]] = []
    undone: set[str] = set()
    for number in range(120):
        turn = f"turn_{number:08}"
        for _ in range(chance.randrange(3)):
            said.append(("x" * chance.randrange(1, 200), turn))
            await world.say(conversation, said[-1][0], turn)
        if number == 80:
            undone = {f"turn_{chance.randrange(80):08}"}
            await world.roll_back(conversation, min(undone))
        budget = chance.choice((1, 300, 300, 3000))
        alive = [text for text, turn in said if turn not in undone]
        window = await world.context_of(conversation, budget)
        kept = len(window.messages)
        assert texts(window.messages) == (alive[-kept:] if kept else [])
        assert window.estimated_tokens == sum(map(cost, alive[-kept:])) if kept else not alive
        assert kept == len(alive) or sum(map(cost, alive[-kept - 1 :])) > budget
        assert window.omitted_messages == len(alive) - kept
        assert window.omitted_tokens == sum(map(cost, alive[: len(alive) - kept]))


async def test_the_message_to_be_answered_is_kept(world: World) -> None:
    """However much was said since, however often it is asked; the rest gets what is left."""
    conversation = await world.conversation()
    for text in ("a", "the question", "b" * 40, "c" * 40):
        await world.say(conversation, text)
    every = (await world.context_of(conversation)).messages
    everything = sum(cost(message.parts[0].text) for message in every)
    for budget, kept in ((1, [1]), (20, [1]), (21, [1, 3]), (35, [1, 2, 3]), (40, [0, 1, 2, 3])):
        window = await world.context_of(conversation, budget, answered=every[1].message_id)
        assert list(window.messages) == [every[place] for place in kept]
        spent = sum(cost(message.parts[0].text) for message in window.messages)
        assert window.estimated_tokens == spent
        assert window.omitted_messages == len(every) - len(kept)
        assert window.omitted_tokens == everything - spent


async def test_a_message_that_is_not_in_the_context_is_not_answered(world: World) -> None:
    """Unknown, rolled back or after the window's end, or of a conversation that nobody made."""
    conversation = await world.conversation()
    for number in (1, 2, 3):
        await world.say(conversation, str(number), f"turn_0000000{number}")
    every = (await world.context_of(conversation)).messages
    await world.roll_back(conversation, "turn_00000001")
    for answered, up_to in (("msg_unknown", 0), (every[0].message_id, 0), (every[2].message_id, 2)):
        with Refused(Reason.NOT_FOUND):
            await world.context_of(conversation, 5, up_to, answered)
    with Refused(Reason.NOT_FOUND):
        await world.context_of("conv_unknown0")


async def test_a_log_that_was_rebuilt_shows_no_messages_of_before(world: World) -> None:
    """What was remembered of a history that is gone is forgotten with it."""
    conversation = await world.conversation()
    await world.say(conversation, "before", "turn_00000001")
    assert texts((await world.context_of(conversation, 100)).messages) == ["before"]
    await world.rebuild(conversation)
    await world.say(conversation, "after", "turn_00000002")
    assert texts((await world.context_of(conversation, 100)).messages) == ["after"]
