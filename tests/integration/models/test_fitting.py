"""A prompt as a model can take it."""

from dataclasses import replace

import pytest

from antiphon_server.integration.ledger.model import Money, Payer, WorkspaceId
from antiphon_server.integration.models.fitting import Fitted, fitted
from antiphon_server.integration.models.model import (
    AttemptStarted,
    Order,
    Part,
    PartKind,
    Prompt,
    PromptMessage,
)
from antiphon_server.integration.models.room import Room
from antiphon_server.runtime.errors import DomainError, Reason
from tests.fakes.openai_endpoint import Behaviour
from tests.integration.world import Recorder, World

TEXT = frozenset[PartKind]({"text"})
ROOM = Room(1_000, 7)


def said(*parts: Part | str) -> PromptMessage:
    """A user's message."""
    return PromptMessage(
        "user", tuple(Part("text", it) if isinstance(it, str) else it for it in parts)
    )


def order(*history: PromptMessage) -> Order:
    """An order with instructions, behind which comes that."""
    instructions = (PromptMessage("system", (Part("text", "Be kind."),)),)
    return Order(
        Payer(WorkspaceId("ws_00000001")), (), Prompt((said("now"),), 0), history, instructions
    )


def texts(it: Fitted) -> list[str]:
    """What the model is asked."""
    return [message.text for message in it.prompt.messages]


def test_a_prompt_that_fits_is_asked_as_it_is() -> None:
    """Instructions, what was said, what is asked; and an answer as long as the room says."""
    it = fitted(order(said("a"), said("b")), ROOM, TEXT)
    assert texts(it) == ["Be kind.", "a", "b", "now"]
    assert (it.prompt.max_output_tokens, it.omitted, it.described) == (7, 0, 0)


def test_the_oldest_are_left_out_and_counted() -> None:
    """What is asked and the instructions stay, whatever room there is."""
    it = fitted(order(said("a" * 400), said("b" * 400), said("c" * 400)), Room(250, 7), TEXT)
    assert (texts(it), it.omitted) == (["Be kind.", "b" * 400, "c" * 400, "now"], 1)
    it = fitted(order(said("a")), Room(1, 7), TEXT)
    assert (texts(it), it.omitted) == (["Be kind.", "now"], 1)


def test_it_gets_shorter_until_nothing_is_left() -> None:
    """A model that has less room than was thought is asked again, a few times at most."""
    it = fitted(order(*(said("a" * 100) for _ in range(8))), ROOM, TEXT)
    left = []
    while it.history:
        it = it.shorter()
        left.append(len(it.history))
    assert left == [4, 2, 1, 0]
    assert it.omitted == 8


def beside(*told: str) -> Order:
    """An order with two old messages, and texts that stand in front of what is asked."""
    return replace(order(said("a" * 400), said("b" * 400)), beside=tuple(map(said, told)))


def test_what_stands_beside_is_one_message_in_front_of_what_is_asked() -> None:
    """As it is where there is room for all."""
    it = fitted(beside("> one", "> two"), ROOM, TEXT)
    assert texts(it) == ["Be kind.", "a" * 400, "b" * 400, "> one\n\n> two", "now"]
    assert (it.omitted, it.omitted_texts) == (0, 0)


def test_a_model_with_less_room_is_told_what_matters_most_beside() -> None:
    """In half of its room: the first that fit, and the newest messages in the rest."""
    it = fitted(beside("1" * 200, "2" * 800, "3" * 100), Room(250, 7), TEXT)
    assert texts(it) == ["Be kind.", "b" * 400, f"{'1' * 200}\n\n{'3' * 100}", "now"]
    assert (it.omitted, it.omitted_texts) == (1, 1)
    it = fitted(beside("1" * 200), Room(20, 7), TEXT)
    assert (texts(it), it.omitted_texts) == (["Be kind.", "now"], 1)


def test_what_stands_beside_goes_when_nothing_else_can() -> None:
    """Behind all that was said before; the last of it first."""
    it = fitted(beside("1" * 40, "2" * 40, "3" * 40), ROOM, TEXT)
    assert (it.without(1).omitted, it.without(1).omitted_texts) == (1, 0)
    less = it.without(it.counting.of_messages(it.history) + 1)
    assert (texts(less), less.omitted_texts) == (
        ["Be kind.", f"{'1' * 40}\n\n{'2' * 40}", "now"],
        1,
    )
    sizes = []
    while not it.shortest:
        it = it.shorter()
        sizes.append((len(it.history), len(it.beside)))
    assert sizes == [(1, 3), (0, 3), (0, 1), (0, 0)]


@pytest.mark.parametrize(
    ("part", "words"),
    [
        (
            Part("image", "https://x.example/a/cat%20one.png?key=s#f"),
            'an image named "cat one.png"',
        ),
        (Part("audio", "https://x.example/"), "a recording"),
        (Part("file", f"s3://bucket/{'x' * 100}"), f'a file named "{"x" * 80}"'),
        (Part("file", "https://x.example/a%0A%22says"), 'a file named "a \'says"'),
    ],
)
def test_what_a_model_cannot_take_is_told_in_words(part: Part, words: str) -> None:
    """By its name alone: the rest of an address may be a secret, and no name speaks for itself."""
    it = fitted(order(said("look", part)), ROOM, TEXT)
    assert texts(it)[1] == f"look\n[{words}, which you can't see]"
    assert it.described == 1
    assert fitted(order(said("look", part)), ROOM, TEXT | {part.kind}).described == 0


async def test_a_model_with_less_room_than_was_thought_is_asked_less(world: World) -> None:
    """It refuses what is too long before it works; what stays too long without history fails."""
    history = tuple(said(f"{number} {'a' * 100}") for number in range(4))
    wanted = replace(order(*history), prompt=Prompt((said("now"),), 9))
    world.endpoint.plan.extend([Behaviour("too_long"), Behaviour("too_long"), Behaviour()])
    recorder = Recorder()
    await world.generator().run(wanted, recorder)
    assert [len(seen.body["messages"]) for seen in world.endpoint.seen] == [6, 4, 3]
    asked = [step for step in recorder.steps if isinstance(step, AttemptStarted)]
    assert [step.omitted for step in asked] == [0, 2, 3]
    assert [call.settlement.usage.cost for call in await world.calls()][:2] == [Money("USD", 0)] * 2
    world.endpoint.behaviour = Behaviour("too_long")
    with pytest.raises(DomainError) as caught:
        await world.generator().run(wanted, recorder)
    assert caught.value.reason is Reason.MODEL_PROMPT_TOO_LONG


async def test_a_smaller_model_answers_without_what_stands_beside(world: World) -> None:
    """It would else refuse what fits without; whoever listens is told how much is missing."""
    wanted = replace(beside("1" * 200, "2" * 200), prompt=Prompt((said("now"),), 9))
    world.endpoint.plan.extend([*[Behaviour("too_long")] * 3, Behaviour()])
    recorder = Recorder()
    await world.generator().run(wanted, recorder)
    asked = [step for step in recorder.steps if isinstance(step, AttemptStarted)]
    assert [(step.omitted, step.omitted_texts) for step in asked] == [
        (0, 0),
        (1, 0),
        (2, 0),
        (2, 1),
    ]
