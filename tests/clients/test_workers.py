"""Workers in other languages: their experts do their work, and nothing of it is lost or doubled."""

from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

import pytest
import pytest_asyncio

from antiphon.auth.v1.access_pb2 import SCOPE_WORK
from antiphon.dispatcher.v1.turn_pb2 import Turn
from antiphon.events.v1.event_pb2 import TURN_STATE_CANCELLED, TURN_STATE_SUCCEEDED
from antiphon_client import Client, text_of
from antiphon_client.ids import new_request_id
from tests.clients import examples
from tests.clients.conftest import BUILDING, Served, marked
from tests.clients.examples import GO, NODE, WORKERS, Example, Run
from tests.e2e.until import until_it
from tests.fakes.proxy import Proxy
from tests.workers.counting import ended, says

pytestmark = [
    BUILDING,
    pytest.mark.parametrize(
        "example", [marked(it) for it in WORKERS], indirect=True, scope="session"
    ),
]
PARAGRAPHS = 60
TEXTS = {
    NODE.handler: "\n\n".join(f"This is paragraph {it}. It is plain." for it in range(PARAGRAPHS)),
    GO.handler: "\n\n".join(f"|a|b|\n|-|-|\n|{it}|long one|" for it in range(PARAGRAPHS)),
}
ANSWERS = {
    NODE.handler: "\n".join(
        [
            "| paragraph | words | sentences | reading ease |",
            "|---|---|---|---|",
            *(f"| {it} | 7 | 2 | 95, easy |" for it in range(1, PARAGRAPHS + 1)),
            "| all | 420 | 120 | 95, easy |",
            "",
            "Most frequent: paragraph (60), plain (60), 0 (1), 1 (1), 10 (1)\n",
        ]
    ),
    GO.handler: "\n\n".join(
        f"| a   | b        |\n| --- | -------- |\n| {it:<3} | long one |"
        for it in range(PARAGRAPHS)
    ),
}
SLOWLY = {"PAUSE_MS": "40"}


Begin = Callable[..., Awaitable[Run]]


@pytest_asyncio.fixture
async def client(served: Served) -> AsyncIterator[Client]:
    """The operator's."""
    async with served.server.client() as client:
        yield client


@pytest_asyncio.fixture
async def begin(
    served: Served, built: Path, example: Example, client: Client
) -> AsyncIterator[Begin]:
    """Begin a worker, which there is when this returns: ``begin(ANTIPHON_ADDRESS=…)``."""
    key = await _invited(client, example.handler)
    runs: list[Run] = []

    async def begin(**variables: str) -> Run:
        where = {"ANTIPHON_ADDRESS": served.server.address, "ANTIPHON_API_KEY": key}
        run = await examples.start_worker(example, built, {**where, **variables})
        runs.append(run)
        await until_it(lambda: _serves(client, example.handler))
        return run

    yield begin
    for run in runs:
        await run.kill()
    await until_it(lambda: _is_gone(client))


async def _invited(client: Client, handler: str) -> str:
    program = await client.create_user(f"{handler}-{new_request_id()[:8]}", program=True)
    await client.allow_worker("global", handler, program.user_id)
    made = await client.new_api_key(handler, scopes=[SCOPE_WORK], user_id=program.user_id)
    return made.secret


async def _serves(client: Client, handler: str) -> bool:
    return handler in [it.name async for it in client.list_handlers() if it.available]


async def _is_gone(client: Client) -> bool:
    return [it async for it in client.list_workers("global")] == []


async def posted(client: Client, example: Example) -> Turn:
    """A turn of the expert's, in a conversation of its own."""
    where = (await client.create_conversation()).conversation_id
    text = TEXTS[example.handler]
    return (await client.dispatch(where, text, handler=example.handler)).turn


async def answer(client: Client, turn: Turn) -> str:
    """What was said."""
    messages = [it async for it in client.list_messages(turn.conversation_id)]
    return text_of(next(it for it in messages if it.author.startswith("handlers/")).parts)


async def test_it_does_its_work(client: Client, begin: Begin, example: Example) -> None:
    """Turns beside each other, more than it takes at once: each has its whole answer."""
    await begin()
    for turn in [await posted(client, example) for _ in range(9)]:
        done = await ended(client, turn)
        assert (done.state, done.attempt) == (TURN_STATE_SUCCEEDED, 1)
        assert await answer(client, turn) == ANSWERS[example.handler]


async def test_it_says_what_messages_are_for_it(
    client: Client, begin: Begin, example: Example
) -> None:
    """By which routes choose it; in more than one language."""
    await begin()
    (listed,) = [it async for it in client.list_handlers() if it.name == example.handler]
    assert 8 <= len(listed.examples) <= 12


async def test_cuts_change_nothing(
    served: Served, client: Client, begin: Begin, example: Example
) -> None:
    """It is back with what it has, and goes on; nothing is lost, and nothing said twice."""
    async with Proxy(served.server.port) as proxy:
        await begin(ANTIPHON_ADDRESS=proxy.address, **SLOWLY)
        turn = await posted(client, example)
        for words in (20, 60, 120):
            await says(client, turn, words)
            proxy.cut()
        done = await ended(client, turn)
        assert done.state == TURN_STATE_SUCCEEDED
        assert await answer(client, turn) == ANSWERS[example.handler]
        assert proxy.connections >= 2


async def test_a_killed_one_is_followed_by_another(
    client: Client, begin: Begin, example: Example
) -> None:
    """Which goes on behind what was said."""
    first = await begin(**SLOWLY)
    turn = await posted(client, example)
    await says(client, turn, 40)
    await first.kill()
    await begin()
    done = await ended(client, turn)
    assert (done.state, done.attempt) == (TURN_STATE_SUCCEEDED, 2)
    assert await answer(client, turn) == ANSWERS[example.handler]


async def test_a_stopped_turn_is_let_go_of(client: Client, begin: Begin, example: Example) -> None:
    """Nothing more is said of it, and its place is free."""
    await begin(**SLOWLY)
    turns = [await posted(client, example) for _ in range(4)]  # all that it takes
    for turn in turns:
        await says(client, turn, 12)
        await client.cancel_turn(turn.conversation_id, turn.turn_id)
    assert (await ended(client, turns[0])).state == TURN_STATE_CANCELLED
    begun = await answer(client, turns[0])
    next_one = await posted(client, example)
    assert (await ended(client, next_one)).state == TURN_STATE_SUCCEEDED
    assert await answer(client, turns[0]) == begun
    assert len(begun) < len(ANSWERS[example.handler])


async def test_one_that_was_away_for_too_long(
    served: Served, client: Client, begin: Begin, example: Example
) -> None:
    """Another one has its turn by then; when it is back it says nothing of it, and takes others."""
    async with Proxy(served.server.port) as proxy:
        await begin(ANTIPHON_ADDRESS=proxy.address, **SLOWLY)
        turn = await posted(client, example)
        await says(client, turn, 12)
        proxy.refuse()
        proxy.cut()
        other = await begin()
        done = await ended(client, turn)
        assert (done.state, done.attempt) == (TURN_STATE_SUCCEEDED, 2)
        await other.kill()
        proxy.flow()
        next_one = await posted(client, example)
        assert (await ended(client, next_one)).state == TURN_STATE_SUCCEEDED
        for it in (turn, next_one):
            assert await answer(client, it) == ANSWERS[example.handler]


async def test_who_may_not_serve_ends(
    client: Client, served: Served, built: Path, example: Example
) -> None:
    """And says why; another try would not help."""
    key = await _invited(client, "another")
    where = {"ANTIPHON_ADDRESS": served.server.address, "ANTIPHON_API_KEY": key}
    ended = await (await examples.start_worker(example, built, where)).ended()
    assert ended.code == 1
    assert "HANDLER_NOT_ALLOWED" in ended.errors
