"""A model finds facts in the place of rules; while it fails, nothing is passed over."""

import json
from collections.abc import Collection, Mapping, Sequence

import pytest

from antiphon_server.memory.memories.finding import (
    MOST_CHARACTERS,
    MOST_LINES,
    ModelFinder,
    RuleFinder,
)
from antiphon_server.memory.memories.resting import FIRST_REST_S
from antiphon_server.memory.model import ConversationId, MessageId, Said
from antiphon_server.runtime.access.principal import UserId
from antiphon_server.runtime.errors import DomainError, Reason

HERE, THERE = ConversationId("conv_00000001"), ConversationId("conv_00000002")
ANN = "users/user_0000000ann"


class People:
    """Everybody is called Ann."""

    async def names_of(self, user_ids: Collection[UserId]) -> Mapping[UserId, str]:
        return dict.fromkeys(user_ids, "Ann")


class Model:
    """Says what it is told to, or fails."""

    def __init__(self, *answers: str | DomainError) -> None:
        self.answers, self.asked = list(answers), list[str]()

    async def answer(self, conversation_id: ConversationId, instructions: str, text: str) -> str:
        self.asked.append(text)
        answer = self.answers.pop(0) if self.answers else '{"facts": []}'
        if isinstance(answer, DomainError):
            raise answer
        return answer


class World:
    """A finder that asks a model, and its clock."""

    def __init__(self, *answers: str | DomainError) -> None:
        self.now_s, self.model = 0.0, Model(*answers)
        self.finder = ModelFinder(
            People(), self.model, RuleFinder(People()), clock=lambda: self.now_s
        )

    async def texts(self, *said: str, author: str = ANN) -> Sequence[str]:
        found = await self.finder.found(HERE, messages(*said, author=author))
        return [fact.text for _, fact in found]


def messages(*texts: str, author: str = ANN) -> Sequence[Said]:
    return [Said(MessageId(f"msg_{at:08}"), author, at, text) for at, text in enumerate(texts)]


def told(quote: str, value: str) -> str:
    fact = {"n": 1, "quote": quote, "kind": "fact", "topic": "home", "value": value}
    return json.dumps({"facts": [fact | {"text": f"Ann: {value}", "holds": "holds"}]})


async def test_what_the_model_finds_is_what_is_found() -> None:
    """In one call for a stretch of messages, which it is shown with their authors."""
    world = World(told("Moved to Leeds", "Leeds"))
    assert await world.texts("Moved to Leeds, finally.", "I live in Lyon.") == ["Ann: Leeds"]
    (asked,) = world.model.asked
    assert [json.loads(it)["author"] for it in asked.splitlines()] == ["Ann", "Ann"]


async def test_rules_read_what_it_answers_unreadably_for() -> None:
    """It is not paid for that again."""
    world = World("I can't do that.")
    assert await world.texts("I live in Lyon.") == ["Ann lives in Lyon"]


async def test_nobody_is_asked_about_what_models_said() -> None:
    """There is nothing in it to remember."""
    world = World()
    assert await world.texts("I live in Lyon.", author="handlers/assistant") == []
    assert world.model.asked == []


async def test_a_model_that_fails_is_left_alone_for_ever_longer() -> None:
    """Meanwhile nothing is read on; once it answers, all is as before."""
    failure = DomainError(Reason.MODEL_UNAVAILABLE, model="m")
    world = World(failure, failure)
    rest_s = FIRST_REST_S
    for calls in (1, 2):
        with pytest.raises(DomainError) as raised:
            await world.texts("I live in Lyon.")
        assert raised.value.reason is Reason.MODEL_UNAVAILABLE
        world.now_s += rest_s - 1
        with pytest.raises(DomainError) as raised:
            await world.texts("I live in Lyon.")
        assert raised.value.reason is Reason.SERVICE_UNAVAILABLE
        assert len(world.model.asked) == calls
        world.now_s += 1
        rest_s *= 2
    assert await world.texts("I live in Lyon.") == []
    assert len(world.model.asked) == 3


@pytest.mark.parametrize(
    ("reason", "of_all"),
    [
        (Reason.BUDGET_EXCEEDED, False),
        (Reason.MODEL_PROMPT_TOO_LONG, False),
        (Reason.MODEL_TIMEOUT, True),
        (Reason.OVERLOADED, True),
    ],
)
async def test_what_one_conversation_fails_by_keeps_no_other_waiting(
    reason: Reason, of_all: bool
) -> None:
    """A workspace without budget stops itself; a model that is away, all."""
    world = World(DomainError(reason))
    with pytest.raises(DomainError):
        await world.texts("I live in Lyon.")
    finder = world.finder
    assert (finder.rests, finder.rests_for(THERE), finder.rests_for(HERE)) == (of_all, of_all, True)
    if not of_all:
        await finder.found(THERE, messages("I live in Leeds."))
        assert (len(world.model.asked), finder.rests_for(HERE)) == (2, True)
    world.now_s += FIRST_REST_S
    assert (finder.rests, finder.rests_for(HERE)) == (False, False)


async def test_what_was_answered_is_not_paid_for_again_while_the_rest_fails() -> None:
    """Until the rest is answered, however often; what has changed meanwhile is asked for anew."""
    first, second = "Moved to Leeds" + " again" * 2000, "I live in Lyon" + " now" * 2000
    refused = DomainError(Reason.MODEL_REFUSED)
    world = World(told("Moved to Leeds", "Leeds"), refused, refused)
    for calls in (2, 3):
        with pytest.raises(DomainError):
            await world.texts(first, second)
        assert len(world.model.asked) == calls
        world.now_s += 1000
    assert await world.texts(first, second) == ["Ann: Leeds"]
    assert len(world.model.asked) == 4
    assert await world.texts(first + ".", second) == []
    assert len(world.model.asked) == 5


async def test_it_is_shown_so_much_at_once() -> None:
    """So many messages, so many characters; of a very long one the beginning."""
    world = World()
    await world.texts(*["short"] * (MOST_LINES + 1), "x" * (3 * MOST_CHARACTERS))
    counts = [len(it.splitlines()) for it in world.model.asked]
    assert counts == [MOST_LINES, 1, 1]
    assert max(map(len, world.model.asked)) < MOST_CHARACTERS + 1000
