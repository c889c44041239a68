"""Filters look one after the other, each at what those before have left, and each has a verdict."""

import asyncio
from collections.abc import Sequence

import pytest

from antiphon_server.filters.chain import Chain
from antiphon_server.filters.encoding import filter_message, filter_of
from antiphon_server.filters.eyes import Eyes
from antiphon_server.filters.finding.model import Found
from antiphon_server.filters.kinds import finders
from antiphon_server.filters.model import (
    Action,
    Filter,
    Injection,
    Origin,
    Payload,
    PersonalData,
    Remote,
    Repetition,
    Screened,
    Secrets,
    Stage,
    Terms,
    Verdict,
)
from antiphon_server.filters.screening import look
from antiphon_server.runtime.errors import DomainError, Reason

ORIGIN = Origin("ws_00000001", "conv_00000001", Stage.MESSAGE, "users/user_00000ann")
HERE = ORIGIN.workspace_id


class Others:
    """Programs of others: one never answers, one is down, one breaks, the rest find."""

    async def ask(self, tool: str, texts: Sequence[str], origin: Origin) -> Sequence[Found]:
        match tool.removeprefix("others."):
            case "slow":
                await asyncio.Event().wait()
            case "down":
                raise DomainError(Reason.CONNECTION_UNAVAILABLE, connection="down")
            case "broken":
                raise ValueError(texts[0])
        return [Found(0, len(texts[0]), "rude")]


def words(name: str, action: Action, *terms: str) -> Filter:
    """A filter of terms."""
    return Filter(name, action, Terms(terms))


def remote(tool: str, *, fails_open: bool = False) -> Filter:
    """A filter of others that blocks what it finds."""
    return Filter(
        "far", Action.BLOCK, Remote(f"others.{tool}"), timeout_s=0.02, fails_open=fails_open
    )


def chain(*filters: Filter, parent: str = HERE) -> Chain:
    """Those of a parent."""
    return Chain(parent, 1, filters, Eyes(finders, Others()))


async def looked(*filters: Filter, texts: Sequence[str] = ("a bad word",)) -> Screened:
    """What they make of texts."""
    return await look([chain(*filters)], texts, ORIGIN)


async def test_what_passes_is_as_it_was() -> None:
    """And nobody says anything."""
    assert await looked(words("none", Action.BLOCK, "worse")) == Screened(("a bad word",))


async def test_each_looks_at_what_is_left() -> None:
    """What was cut out by one is not there for the next one."""
    first, second = words("cut", Action.SANITISE, "bad"), words("flag", Action.FLAG, "bad", "word")
    found = await looked(first, second)
    assert found.texts == ["a [term] word"]
    assert [(it.filter, it.found) for it in found.verdicts] == [("cut", 1), ("flag", 1)]
    assert found.action is Action.SANITISE


async def test_nobody_looks_behind_one_that_blocks() -> None:
    """The installation's come first."""
    block, flag = words("no", Action.BLOCK, "bad"), words("flag", Action.FLAG, "word")
    found = await look([chain(block, parent="global"), chain(flag)], ["a bad word"], ORIGIN)
    assert found.refused
    assert found.verdicts == (Verdict("global", "no", Action.BLOCK, ("term",), 1),)


async def test_what_is_held_waits_unless_it_is_blocked() -> None:
    """What is cut out of it is gone; who looks at it is told by which filter it waits."""
    hold, cut = words("who", Action.HOLD, "bad"), words("cut", Action.SANITISE, "word")
    found = await looked(hold, cut)
    assert (found.refused, found.texts, found.is_cut) == (False, ["a bad [term]"], True)
    assert found.held_by == Verdict(HERE, "who", Action.HOLD, ("term",), 1)
    blocked = await looked(hold, words("no", Action.BLOCK, "word"))
    assert (blocked.refused, blocked.held_by) == (True, None)


async def test_what_can_not_wait_is_cut_out_of_titles() -> None:
    """The verdict says so."""
    found = await look([chain(words("who", Action.HOLD, "bad"))], ["bad"], ORIGIN, cuts_held=True)
    assert (found.texts, found.action, found.held_by) == (["[term]"], Action.SANITISE, None)


async def test_what_is_split_over_texts_is_found() -> None:
    """And cut out of each of them, as is what the next text would hide."""
    cut = words("cut", Action.SANITISE, "bad")
    assert (await looked(cut, texts=("a b", "ad word"))).texts == ["a [term]", "[term] word"]
    assert (await looked(cut, texts=("a bad", "word"))).texts == ["a [term]", "word"]


@pytest.mark.parametrize(
    ("tool", "failure"),
    [("slow", "DEADLINE_EXCEEDED"), ("down", "CONNECTION_UNAVAILABLE"), ("broken", "INTERNAL")],
)
async def test_one_that_can_not_look_has_a_verdict(
    tool: str, failure: str, caplog: pytest.LogCaptureFixture
) -> None:
    """Closed, nothing goes on; open, it does; what it was looking at is in no log."""
    closed, opened = await looked(remote(tool)), await looked(remote(tool, fails_open=True))
    assert (closed.refused, opened.refused, opened.texts) == (True, False, ("a bad word",))
    verdict = Verdict(HERE, "far", Action.PASS, failure=failure)
    assert closed.verdicts == opened.verdicts == (verdict,)
    assert "bad word" not in caplog.text


async def test_one_that_is_off_or_looks_elsewhere_says_nothing() -> None:
    """Each has its stages."""
    off = Filter("off", Action.BLOCK, Terms(("bad",)), disabled=True)
    tools = Filter("tools", Action.BLOCK, Terms(("bad",)), frozenset({Stage.TOOL_RESULT}))
    assert not (await looked(off, tools)).verdicts
    assert list(chain(off, tools).at(Stage.TOOL_RESULT)) == [tools]


async def test_a_large_text_is_looked_at_by_a_thread() -> None:
    """And found in as in a small one."""
    found = await looked(words("cut", Action.SANITISE, "bad"), texts=("bad " + "good " * 20_000,))
    assert found.texts[0].startswith("[term] good")


@pytest.mark.parametrize(
    ("filters", "why"),
    [
        ([words("a", Action.FLAG, "x"), words("a", Action.FLAG, "y")], "filters[1].name"),
        ([Filter("a", Action.FLAG, Terms())], "filters[0].terms"),
        ([Filter("a", Action.FLAG, PersonalData(("shoes",)))], "filters[0].personal_data"),
        (
            [Filter("a", Action.FLAG, Repetition(), frozenset({Stage.ANSWER}))],
            "filters[0].stages",
        ),
        (
            [Filter("a", Action.HOLD, Secrets(), frozenset({Stage.ANSWER}))],
            "filters[0].stages",
        ),
        ([words(f"a{at}", Action.FLAG, "x") for at in range(33)], "filters"),
        ([words("a", Action.FLAG, "x", " \t")], "filters[0].terms.terms[1]"),
        ([words("a", Action.FLAG, "\u200b")], "filters[0].terms.terms[0]"),
        ([words("a", Action.FLAG, "x\0y")], "filters[0].terms.terms[0]"),
        ([Filter("a", Action.FLAG, Terms((), ("x", "\0")))], "filters[0].terms.parts[1]"),
        ([Filter("a", Action.FLAG, Remote("   "))], "filters[0].remote.tool"),
        ([Filter("a", Action.FLAG, Remote("moderation"))], "filters[0].remote.tool"),
        ([Filter("a", Action.FLAG, Remote("moderation.\0"))], "filters[0].remote.tool"),
    ],
)
def test_filters_that_can_not_stand_are_refused(filters: Sequence[Filter], why: str) -> None:
    """With the field that is wrong."""
    refused = chain(*filters).broken
    assert refused is not None
    assert refused.reason is Reason.INVALID_ARGUMENT
    assert refused.violations[0].field.startswith(why)


@pytest.mark.parametrize(
    "kind",
    [
        Secrets(),
        PersonalData(("card",), ("DE",)),
        Terms(("bad",), ("worse",)),
        Payload(),
        Repetition(),
        Injection(),
        Remote("moderation.check"),
    ],
)
def test_filters_come_back_as_they_were_sent(kind: object) -> None:
    """Each kind, with all that it says."""
    stages = frozenset({Stage.TOOL_RESULT})
    one = Filter("one", Action.BLOCK, kind, stages, 0.5, True, True)  # type: ignore[arg-type]
    assert filter_of(filter_message(one)) == one
