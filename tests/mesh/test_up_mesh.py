"""`antiphon up --mesh --replicas 2 --web` with stores of its own: served, whatever replica dies."""

import asyncio
import time
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from antiphon_client import ApiKey, Client, Connection
from antiphon_server.web.links import make_link
from tests.e2e.until import PATIENCE_S
from tests.mesh.up import Up, running_up
from tests.web.control import Control, People, Wish
from tests.web.vitest import IN_A_BROWSER, passes

pytestmark = pytest.mark.asyncio(loop_scope="module")
LONG = " ".join(f"w{number}" for number in range(300))  # 6 s of echo
TOLD_WITHIN_S = 4.0  # about 2 s, on a machine that has other things to do


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def up(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Up]:
    """Two replicas, for all tests of this file."""
    async with running_up(tmp_path_factory.mktemp("mesh"), 2, "--web") as found:
        yield found


def wishes_of(up: Up) -> dict[str, Wish]:
    """What the pages' tests may ask for."""

    async def kill(_: str) -> str:
        """The server that serves a page's stream dies."""
        await up.kill_where_streams_are()
        return ""

    async def kill_all(_: str) -> str:
        """There is nobody behind the edge for a while."""
        for server in up.servers():
            server.kill()
        return ""

    async def whole(_: str) -> str:
        """Both servers are there."""
        await up.until_whole()
        return ""

    async def link(_: str) -> str:
        """A link for the local operator."""
        return make_link(up.key)

    user = People(up.client).make
    return {"kill": kill, "killAll": kill_all, "whole": whole, "link": link, "user": user}


async def test_both_are_there(up: Up) -> None:
    """Two processes, known by what other commands look for."""
    assert len(up.servers()) == 2
    assert up.told["pid"] == up.process.pid


@pytest.mark.needs(*IN_A_BROWSER)
async def test_people_chat_in_browsers(up: Up) -> None:
    """At the edge, with a server that is killed in the middle of an answer."""
    async with Control(wishes_of(up)) as control:
        await passes("mesh", up.told["web"].rstrip("/"), control, up.folder.parent)


async def test_a_replica_dies(up: Up) -> None:
    """Calls go on at the other, and it is started again."""
    await up.until_whole()
    async with up.client() as client:
        conversation = (await client.create_conversation("whoever answers")).conversation_id
        before = up.servers()
        before[0].kill()
        began = time.monotonic()
        for number in range(40):
            await client.post_message(conversation, f"number {number}")
            await asyncio.sleep(0.05)
        stored = [one async for one in client.list_messages(conversation)]
        assert len(stored) == 40
        async with asyncio.timeout(PATIENCE_S):
            while len(up.servers()) < 2:  # noqa: ASYNC110
                await asyncio.sleep(0.05)
    print(f"two again after {time.monotonic() - began:.1f} s")
    assert {each.pid for each in up.servers()} != {each.pid for each in before}


@pytest.mark.parametrize(("mishap", "told"), [("kill", "waiting"), ("suspend", "silent")])
async def test_who_reads_an_answer_is_told_and_reads_on_elsewhere(
    up: Up, mishap: str, told: str
) -> None:
    """Of a server that dies or stands still, within 2 s or so; the answer is whole, once."""
    await up.until_whole()
    await up.until_nobody_streams()
    states: list[tuple[str, float]] = []

    def note(connection: Connection) -> None:
        states.append((connection.state, time.monotonic()))

    def since(state: str, then: float) -> float | None:
        return next((at - then for name, at in states if name == state and at > then), None)

    key, address = ApiKey(up.key), up.told["address"]
    async with Client.connect(address, key, on_connection=note) as client:
        where = (await client.create_conversation()).conversation_id
        async with client.converse(where) as talk, asyncio.timeout(PATIENCE_S):
            turn = await talk.post(LONG, handler="echo")
            server = await up.where_streams_are()
            getattr(server, mishap)()
            began = time.monotonic()
            assert (await turn.result()).text == LONG
    if mishap == "suspend":
        server.kill()  # it is started again
    first, back = since(told, began), since("connected", began)
    assert first is not None
    assert back is not None
    assert first < TOLD_WITHIN_S
    print(f"told after {first:.1f} s, connected again after {back:.1f} s")
