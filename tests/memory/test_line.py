"""Those who ask have turns."""

import asyncio

from antiphon_server.memory.model import ConversationId
from antiphon_server.memory.search.line import Line


def those(prefix: str, count: int) -> list[ConversationId]:
    """Ids."""
    return [ConversationId(f"{prefix}{number}") for number in range(count)]


async def taken(line: Line, count: int) -> list[str]:
    """What is read, one after the other."""
    found: list[str] = []
    for _ in range(count):
        found.append(it := await line.take())
        line.finish(it, whole=True)
    return found


async def test_each_who_asks_has_turns() -> None:
    """One of each, in the order that each asked for."""
    line = Line(100)
    line.ask("a", those("a", 4))
    line.ask("b", those("b", 2))
    assert await taken(line, 6) == ["a0", "b0", "a1", "b1", "a2", "a3"]


async def test_what_one_asks_for_last_comes_first() -> None:
    """A search in one conversation doesn't wait for one's own search in all."""
    line = Line(100)
    line.ask("a", those("a", 3))
    line.ask("a", those("x", 1))
    assert await taken(line, 4) == ["x0", "a0", "a1", "a2"]


async def test_what_several_ask_for_is_read_once() -> None:
    """It is there for all of them, at the earliest of their turns."""
    line = Line(100)
    first = line.ask("a", those("a", 3))
    second = line.ask("b", [ConversationId("a2")])
    assert await taken(line, 3) == ["a0", "a2", "a1"]
    assert first[ConversationId("a2")] is second[ConversationId("a2")]
    assert len(line) == 0


async def test_what_is_asked_for_while_it_is_read_is_read_once_more() -> None:
    """Who asked before is answered by the first reading, who asked since by the second."""
    line = Line(100)
    (early,) = line.ask("a", those("a", 1)).values()
    it = await line.take()
    (late,) = line.ask("b", those("a", 1)).values()
    line.finish(it, whole=True)
    assert (early.done(), late.done()) == (True, False)
    assert await line.take() == it
    line.finish(it, whole=False)
    assert (early.result(), late.result()) == (True, False)


async def test_what_has_more_comes_again_after_the_others() -> None:
    """A stretch each."""
    line = Line(100)
    line.ask("a", those("a", 1))
    line.ask("b", those("b", 1))
    first = await line.take()
    line.again(first)
    assert [await line.take(), await line.take()] == ["b0", "a0"]


async def test_it_holds_no_more_than_it_may() -> None:
    """What there is no room for is passed over; what waits already is not."""
    line = Line(3)
    assert len(line.ask("a", those("a", 5))) == 3
    assert list(line.ask("b", [*those("b", 1), ConversationId("a1")])) == ["a1"]


async def test_readers_wait_until_somebody_asks() -> None:
    """Nothing turns meanwhile."""
    line = Line(3)
    taking = asyncio.create_task(line.take())
    await asyncio.sleep(0.01)
    assert not taking.done()
    line.ask("a", those("a", 1))
    assert await taking == "a0"
