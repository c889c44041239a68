"""Handlers are found beside the event loop, and turns that were are tried as they can be."""

import asyncio
import random
import time
from collections.abc import AsyncIterator

import pytest_asyncio

from antiphon_server.dispatcher.handling import LossPolicy
from antiphon_server.dispatcher.model import HandlerInfo
from antiphon_server.routing.model import Classifier, Match, Outcome, Rule
from antiphon_server.runtime.access.principal import UserId
from antiphon_server.runtime.profiles.model import Profile
from antiphon_server.runtime.revisions.model import GLOBAL
from tests.routing.finding import ANN, HOME, World, opened_world, posted, was, watched_loop

ECHO = Rule("all", handler="echo")
SLOW = tuple(f"a[ab]{{{10 + at}}}c" for at in range(30))
SHORT_S = 0.3
"""On a busy machine a loop that does nothing else is late, too."""


@pytest_asyncio.fixture
async def world() -> AsyncIterator[World]:
    async with opened_world() as world:
        yield world


async def test_patterns_that_take_long_hold_nobody_up(world: World) -> None:
    """They take a second for the longest text, whose next byte is always news to RE2."""
    await world.routes.set(
        HOME, [Rule("slow", match=Match(text_patterns=SLOW), handler="echo")], "", None
    )
    chance = random.Random(1)
    text = "".join(chance.choice("ab") for _ in range(1 << 20))
    await world.finding.decision(posted("warm"))
    async with watched_loop() as gaps:
        began = time.perf_counter()
        decision = await world.finding.decision(posted(text))
        took = time.perf_counter() - began
    print(f"decided in {took:.3f} s, the loop was late by {max(gaps):.3f} s")
    assert decision.outcome is Outcome.DEFAULT
    assert max(gaps) < max(took / 2, SHORT_S)


async def test_patterns_that_take_long_leave_others_their_threads(world: World) -> None:
    """Those of the loop, which look up names, too: many such messages wait by themselves."""
    rules = [Rule("slow", match=Match(text_patterns=SLOW), handler="echo")]
    await world.routes.set(HOME, rules, "", None)
    text = "".join(random.Random(1).choices("ab", k=1 << 15))
    many = [asyncio.create_task(world.finding.decision(posted(text))) for _ in range(40)]
    await asyncio.sleep(0.05)
    began = time.perf_counter()
    await asyncio.to_thread(int)
    took = time.perf_counter() - began
    assert not any(it.done() for it in many)
    for it in many[8:]:
        it.cancel()
    await asyncio.gather(*many[:8])
    assert took < SHORT_S


async def test_experts_that_take_long_to_learn_hold_nobody_up(world: World) -> None:
    chance = random.Random(2)
    words = ["".join(chance.choices("abcdefghijklmnopqrst", k=8)) for _ in range(50_000)]
    for at in range(64):
        examples = tuple(" ".join(chance.choices(words, k=60)) for _ in range(60))
        name = f"expert-{at}"
        world.around.handlers.append(HandlerInfo(name, "", LossPolicy.FAIL, examples=examples))
    await world.routes.set(HOME, [Rule("experts", classifier=Classifier())], "", None)
    async with watched_loop() as gaps:
        began = time.perf_counter()
        await world.finding.decision(posted(words[0]))
        took = time.perf_counter() - began
    print(f"decided in {took:.3f} s, the loop was late by {max(gaps):.3f} s")
    assert max(gaps) < SHORT_S


async def test_other_parents_rules_stand_where_some_are_tried(world: World) -> None:
    """A workspace's before the installation's, whichever are tried."""
    own = Rule("own", match=Match(text_patterns=("message 1",)), handler="assistant")
    await world.routes.set(HOME, [own], "", None)
    world.around.turns = [was(1), was(2)]
    tried = [it.decision async for it in world.finding.tried(GLOBAL, [ECHO], 1000)]
    assert [(it.rule, it.parent) for it in tried] == [("all", GLOBAL), ("own", HOME)]
    tried = [it.decision async for it in world.finding.tried(HOME, [ECHO], 1)]
    assert [(it.rule, it.parent) for it in tried] == [("all", HOME)]


async def test_rules_know_what_the_sender_wants_to_be_known_by(world: World) -> None:
    """It is asked for where a rule looks at it; where it can't be told, the rule does not match."""
    ann = UserId(ANN.removeprefix("users/"))
    world.profiles.known = {ann: Profile(ann, locale="de-AT", fields={"team": "blue"})}
    await world.routes.set(HOME, [ECHO], "", None)
    await world.finding.decision(posted("hi"))
    assert world.profiles.asked_for == []
    match = Match(sender_locales=["de"], sender_fields={"team": "blue"})
    await world.routes.set(HOME, [Rule("german", match=match, handler="echo")], "", None)
    assert (await world.finding.decision(posted("hi"))).rule == "german"
    assert world.profiles.asked_for == [(ann, HOME)]
    world.profiles.is_away = True
    assert (await world.finding.decision(posted("hi"))).outcome is Outcome.DEFAULT
