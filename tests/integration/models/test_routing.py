"""Which models are asked, by what a request needs, and what is told of the others."""

from collections.abc import Sequence
from dataclasses import replace

import pytest

from antiphon_server.integration.models.model import (
    AttemptStarted,
    Order,
    Part,
    PartKind,
    PromptMessage,
    Skipped,
    ToolCall,
    ToolCallId,
    ToolDefinition,
)
from antiphon_server.integration.models.settings import ModelSettings
from antiphon_server.runtime.configuration import configured
from antiphon_server.runtime.errors import DomainError, Reason
from tests.fakes.openai_endpoint import Behaviour
from tests.integration.world import Recorder, World, on_wire, order

PICTURE = Part("image", "https://x.example/cat.png?token=secret")
RECORDING = Part("audio", "https://x.example/cat.mp3")
TOOL = ToolDefinition("test.look", "It looks.", "{}")
BLIND = '[an image named "cat.png", which you can\'t see]'


def model(name: str, *kinds: PartKind, **more: object) -> ModelSettings:
    """A scripted one that takes such parts beside text."""
    found = {"name": f"scripted/{name}", "kind": "scripted", "accepts": ["text", *kinds]}
    return configured(found | more, ModelSettings)


def asking(
    models: Sequence[ModelSettings], *parts: Part, tools: tuple[ToolDefinition, ...] = ()
) -> Order:
    """An order to them that asks with these parts."""
    it = order(*(each.name for each in models), text="look")
    message = PromptMessage("user", (Part("text", "look"), *parts))
    return replace(it, prompt=replace(it.prompt, messages=(message,), tools=tools))


async def asked(world: World, models: Sequence[ModelSettings], it: Order) -> AttemptStarted:
    """The attempt that was answered."""
    recorder = Recorder()
    await world.generator(*models).run(it, recorder)
    return [step for step in recorder.steps if isinstance(step, AttemptStarted)][-1]


async def test_one_that_takes_less_is_passed_over(world: World) -> None:
    """Whether it lacks sight, ears or hands; what it lacks is told."""
    plain, sees = model("plain"), model("sees", "image")
    attempt = await asked(world, [plain, sees], asking([plain, sees], PICTURE))
    assert (attempt.model, attempt.described) == (sees.name, 0)
    assert attempt.skipped == (Skipped(plain.model_name, Reason.PART_NOT_ACCEPTED, "image"),)
    assert attempt.retry_of == ""
    handless, able = model("handless", tools=False), model("able")
    attempt = await asked(world, [handless, able], asking([handless, able], tools=(TOOL,)))
    assert attempt.skipped == (Skipped(handless.model_name, Reason.PART_NOT_ACCEPTED, "tools"),)


async def test_nobody_is_told_of_those_behind(world: World) -> None:
    """They were no answer's first choice."""
    plain, sees = model("plain"), model("sees", "image")
    assert (await asked(world, [sees, plain], asking([sees, plain], PICTURE))).skipped == ()


async def test_what_none_takes_is_told_in_words(world: World) -> None:
    """And counted; of its address the name alone."""
    small = on_wire(world.endpoint.base_url)
    attempt = await asked(world, [small], asking([small], PICTURE))
    assert (attempt.model, attempt.described, attempt.skipped) == (small.name, 1, ())
    (message,) = world.endpoint.seen[-1].body["messages"]
    assert message["content"] == f"look\n{BLIND}"


async def test_where_none_takes_all_who_takes_most_is_asked_first(world: World) -> None:
    """Its place in the list counts among those that take as much."""
    plain, deaf, blind = model("plain"), model("deaf", "image"), model("blind", "audio")
    every = [plain, deaf, blind]
    attempt = await asked(world, every, asking(every, PICTURE, RECORDING))
    assert (attempt.model, attempt.described, attempt.skipped) == (deaf.name, 1, ())


async def test_where_one_takes_all_no_other_is_asked(world: World) -> None:
    """An answer about what it does not see is paid for and none: the turn fails as that one did."""
    away = on_wire(world.endpoint.base_url, accepts=["text", "image"])
    plain = model("plain")
    world.endpoint.behaviour = Behaviour("401")
    with pytest.raises(DomainError) as failed:
        await asked(world, [plain, away], asking([plain, away], PICTURE))
    assert failed.value.reason is Reason.MODEL_REFUSED


async def test_who_takes_no_tools_is_not_told_of_them(world: World) -> None:
    """And the attempt says how many."""
    small = on_wire(world.endpoint.base_url, tools=False)
    attempt = await asked(world, [small], asking([small], tools=(TOOL,)))
    assert attempt.withheld == 1
    assert "tools" not in world.endpoint.seen[-1].body


async def test_those_that_failed_are_told_beside_those_passed_over(world: World) -> None:
    """In the order of the list, each with its reason."""
    plain, sees = model("plain"), model("sees", "image")
    refuses = on_wire(world.endpoint.base_url, accepts=["text", "image"])
    world.endpoint.behaviour = Behaviour("401")
    every = [refuses, plain, sees]
    attempt = await asked(world, every, asking(every, PICTURE))
    assert (attempt.model, attempt.retry_of) == (sees.name, "MODEL_REFUSED")
    assert [(it.reason, it.lacks) for it in attempt.skipped] == [
        (Reason.MODEL_REFUSED, ""),
        (Reason.PART_NOT_ACCEPTED, "image"),
    ]


async def test_one_without_the_room_is_passed_over_for_one_that_may_have_it(world: World) -> None:
    """Where no other may, it is asked: nobody knows its tokens better than it does."""
    small, large = model("small", context_tokens=10), model("large", context_tokens=1_000)
    unknown = model("unknown")
    for other in (large, unknown):
        it = asking([small, other], Part("text", "x" * 200))
        attempt = await asked(world, [small, other], it)
        assert attempt.skipped == (Skipped(small.model_name, Reason.MODEL_PROMPT_TOO_LONG),)
        assert attempt.model == other.name
    it = asking([large, small], Part("text", "x" * 5_000))
    assert (await asked(world, [large, small], it)).model == large.name
    fits = asking([small, large])
    assert (await asked(world, [small, large], fits)).model == small.name


@pytest.mark.parametrize(
    "message",
    [
        PromptMessage("user", (PICTURE,), answers=ToolCallId("tool_1")),
        PromptMessage("assistant", (PICTURE,), (ToolCall(ToolCallId("tool_1"), "x.y", "{}"),)),
    ],
)
async def test_what_no_wire_carries_is_told_in_words_to_all(
    world: World, message: PromptMessage
) -> None:
    """Pictures of results and of assistants: who sees is no better off than who does not."""
    sees = on_wire(world.endpoint.base_url, accepts=["text", "image"])
    plain = on_wire(world.endpoint.base_url, "openai/plain")
    it = asking([plain, sees])
    it = replace(it, prompt=replace(it.prompt, messages=(*it.prompt.messages, message)))
    for models in ([plain, sees], [sees]):
        attempt = await asked(world, models, replace(it, models=tuple(m.name for m in models)))
        assert (attempt.model, attempt.described) == (models[0].name, 1)
        assert BLIND in str(world.endpoint.seen[-1].body["messages"][1]["content"])
        assert "secret" not in str(world.endpoint.seen[-1].body)
