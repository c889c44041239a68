"""A filter of others is down, slow or breaks while much is said: each has the declared verdict."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from dataclasses import dataclass, field

import aiohttp
import psutil
import pytest
import pytest_asyncio
from google.protobuf.duration_pb2 import Duration

from antiphon.context.v1.filter_pb2 import (
    FILTER_ACTION_BLOCK,
    FILTER_FAILURE_CLOSED,
    FILTER_FAILURE_OPEN,
    Filter,
    RemoteFilter,
    TermsFilter,
)
from antiphon.integration.v1 import connection_pb2
from antiphon_client import AntiphonError, Client
from tests.e2e.server import ONE_FOR_MANY, ServerProcess
from tests.e2e.until import PATIENCE_S
from tests.filters.moderation import TOOL, Moderation, serving

pytestmark = pytest.mark.asyncio(loop_scope="module")
WORD, CANARY, PASSES = "forbiddenword", "zanzibarcanary", "goes through"
SIDE_BY_SIDE, WAVES = 12, 6
AT_MOST_S = 8.0
"""Nobody waits longer for a verdict: the filter has a fifth of a second."""


@dataclass(slots=True)
class Stage:
    """Some conversations of one workspace, and what a filter of others does there."""

    server: ServerProcess
    client: Client
    workspace: str
    conversations: list[str]
    became: Counter[str] = field(default_factory=Counter)
    number: int = 0

    async def stand(self, *, opens: bool) -> None:
        """One filter that can always look, and behind it the one of others."""
        words = Filter(name="words", action=FILTER_ACTION_BLOCK, terms=TermsFilter(terms=[WORD]))
        others = Filter(
            name="others",
            action=FILTER_ACTION_BLOCK,
            timeout=Duration(nanos=200_000_000),
            on_failure=FILTER_FAILURE_OPEN if opens else FILTER_FAILURE_CLOSED,
            remote=RemoteFilter(tool=TOOL),
        )
        await self.client.set_filters(self.workspace, [words, others])

    async def much_is_said(self, *, opens: bool) -> None:
        """Each has the verdict that is declared; a third is blocked by the filter that is up."""
        await self.stand(opens=opens)
        left, wanted = (PASSES, "") if opens else (f"{CANARY} alone", "FILTER_UNAVAILABLE")
        texts = [f"{CANARY} {WORD} {CANARY}" if it % 4 == 0 else left for it in range(SIDE_BY_SIDE)]
        for _ in range(WAVES):
            became = await asyncio.gather(*map(self.said, range(SIDE_BY_SIDE), texts))
            assert became == ["CONTENT_BLOCKED" if WORD in it else wanted for it in texts]
            self.became.update(became)

    async def said(self, number: int, text: str) -> str:
        """What becomes of it, by one of the entrances: why it is refused, or nothing."""
        self.number += 1
        entrance = (self._posted, self._dispatched, self._conversed)[self.number % 3]
        try:
            async with asyncio.timeout(AT_MOST_S):
                await entrance(self.conversations[number], text)
        except AntiphonError as error:
            return error.reason
        return ""

    async def _posted(self, where: str, text: str) -> None:
        await self.client.post_message(where, text)

    async def _dispatched(self, where: str, text: str) -> None:
        await self.client.dispatch(where, text, handler="echo")

    async def _conversed(self, where: str, text: str) -> None:
        async with self.client.converse(where) as live:
            turn = await live.post(text, handler="echo")
            assert (await turn.result()).text == text

    async def told(self) -> AsyncIterator[str]:
        """Everything that anybody can read of it."""
        for where in self.conversations:
            async for message in self.client.list_messages(where):
                yield str(message)
            cursor, at_head = "", False
            while not at_head:
                page = await self.client.read_events(f"conversations/{where}", cursor)
                cursor, at_head = page.cursor, page.at_head
                yield str(page)
        async for screening in self.client.list_screenings(self.workspace):
            yield str(screening)
        async for event in self.client.list_security_events():
            yield str(event)
        yield await metrics(self.server)
        yield self.server.log.read_text()

    def kept(self, word: str) -> list[str]:
        """The files that have it."""
        files = (it for it in self.server.data_dir.rglob("*") if it.is_file())
        return [it.name for it in files if word.encode() in it.read_bytes()]


async def metrics(server: ServerProcess) -> str:
    """What the admin port says."""
    connections = psutil.Process(server.pid).net_connections("tcp")
    listening = {each.laddr.port for each in connections if each.status == psutil.CONN_LISTEN}
    (port,) = listening - {server.port}
    url = f"http://127.0.0.1:{port}/metrics"
    async with aiohttp.ClientSession() as session, session.get(url) as answer:
        return await answer.text()


@pytest_asyncio.fixture(loop_scope="module")
async def server(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[ServerProcess]:
    """One that may call this machine."""
    variables = {"ANTIPHON_EGRESS_ALLOW_NETWORKS": '["127.0.0.0/8"]', **ONE_FOR_MANY}
    async with ServerProcess(tmp_path_factory.mktemp("down"), variables=variables) as server:
        yield server


async def test_each_of_much_has_its_verdict_while_a_filter_fails(server: ServerProcess) -> None:
    """It is slow, breaks, is gone: what is said is refused, or passes and is told of, and
    nothing of what was refused is anywhere.
    """
    others = Moderation("blockhead")
    client = Client.connect(server.address, server.key, deadline=PATIENCE_S, patient=False)
    async with AsyncExitStack() as up, client:
        port = await up.enter_async_context(serving(others))
        made = [await client.create_conversation() for _ in range(SIDE_BY_SIDE)]
        workspace = made[0].workspace_id
        it = Stage(server, client, workspace, [each.conversation_id for each in made])
        target = connection_pb2.GrpcTarget(address=f"http://127.0.0.1:{port}")
        given = connection_pb2.Connection(name="moderation", grpc=target)
        await client.create_connection(workspace, given)
        await client.test_connection(workspace, "moderation")
        others.slow_s = 60.0
        await it.much_is_said(opens=True)
        others.slow_s, others.breaks = 0.0, True
        await it.much_is_said(opens=False)
        await up.aclose()
        await it.much_is_said(opens=True)
        await it.much_is_said(opens=False)
        await all_is_told(it)
        await nothing_is_left(it)


async def all_is_told(it: Stage) -> None:
    """Each that was refused, and each that passed unseen, has one screening that says so.

    Clients don't send again by themselves what a filter could not look at.
    """
    assert sum(it.became.values()) == 4 * WAVES * SIDE_BY_SIDE
    found = [each async for each in it.client.list_screenings(it.workspace)]
    blocked = sum(each.action == FILTER_ACTION_BLOCK for each in found)
    failed = Counter(each.refused for each in found if each.verdicts[-1].failure)
    assert blocked == it.became["CONTENT_BLOCKED"]
    assert failed[False] == it.became[""]
    assert failed[True] == it.became["FILTER_UNAVAILABLE"]
    assert blocked + failed.total() == len(found)


async def nothing_is_left(it: Stage) -> None:
    """What was refused is in nothing that can be read, and in no file."""
    told = [each async for each in it.told()]
    assert any(PASSES in each for each in told)
    assert [each for each in told if CANARY in each] == []
    assert it.kept(PASSES)
    assert it.kept(CANARY) == []
    assert it.server.defects == []
