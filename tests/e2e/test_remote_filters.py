"""Filters that others serve, asked by a connection of the workspace, or of the installation."""

import json
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

import pytest
import pytest_asyncio
from google.protobuf.duration_pb2 import Duration

from antiphon.context.v1.filter_pb2 import (
    FILTER_ACTION_BLOCK,
    FILTER_ACTION_SANITISE,
    FILTER_FAILURE_CLOSED,
    FILTER_FAILURE_OPEN,
    Filter,
    FilterVerdict,
    RemoteFilter,
    TermsFilter,
)
from antiphon.integration.v1 import connection_pb2
from antiphon_client import AntiphonError, Client, text_of
from tests.e2e.process import all_of
from tests.e2e.server import ServerProcess
from tests.filters.moderation import TOOL, Moderation, serving
from tests.proofs.bench.processes import free_port

pytestmark = pytest.mark.asyncio(loop_scope="module")
WORD = "blockhead"


@dataclass(slots=True)
class Stage:
    """A workspace with a conversation, whose filter is a program of others."""

    client: Client
    workspace: str
    conversation: str
    moderation: Moderation

    async def set(self, **fields: object) -> None:
        """Have it, with these fields, be the only filter."""
        fields = {"name": "others", "action": FILTER_ACTION_BLOCK, **fields}
        fields.setdefault("remote", RemoteFilter(tool=TOOL))
        await self.client.set_filters(self.workspace, [Filter(**fields)])  # type: ignore[arg-type]

    async def verdict(self) -> FilterVerdict:
        """What it said last."""
        async for it in self.client.list_screenings(self.workspace):
            return it.verdicts[-1]
        raise AssertionError("it said nothing")

    async def newest(self) -> str:
        """The newest message."""
        async for it in self.client.list_messages(self.conversation):
            return text_of(it.parts)
        return ""

    async def refusal(self, text: str) -> AntiphonError:
        """Why it is refused."""
        with pytest.raises(AntiphonError) as refused:
            await self.client.post_message(self.conversation, text)
        return refused.value


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def server(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[ServerProcess]:
    """One that may call this machine."""
    variables = {"ANTIPHON_EGRESS_ALLOW_NETWORKS": '["127.0.0.0/8"]'}
    server = ServerProcess(tmp_path_factory.mktemp("remote"), variables=variables)
    async with all_of([server]):
        yield server


@pytest_asyncio.fixture(loop_scope="module")
async def it(server: ServerProcess) -> AsyncIterator[Stage]:
    """A filter that is up, by a connection of a workspace."""
    moderation = Moderation(WORD)
    async with serving(moderation) as port, server.client() as client:
        conversation = await client.create_conversation(title="moderated")
        workspace = conversation.workspace_id
        target = connection_pb2.GrpcTarget(address=f"http://127.0.0.1:{port}")
        given = connection_pb2.Connection(name="moderation", grpc=target)
        await client.create_connection(workspace, given)
        await client.test_connection(workspace, "moderation")
        yield Stage(client, workspace, conversation.conversation_id, moderation)
        await client.set_filters(workspace, [])
        await client.delete_connection(workspace, "moderation")


async def test_it_is_asked_and_what_it_finds_counts(it: Stage) -> None:
    """It is told what is said, where, and by whom; what it finds is refused."""
    await it.set()
    await it.client.post_message(it.conversation, "good morning", metadata={"a": "b"})
    (asked,) = it.moderation.asked
    assert list(asked.texts) == ["good morning", "b", "\na"]
    assert (asked.conversation_id, asked.author[:11]) == (it.conversation, "users/user_")
    refused = await it.refusal(f"you {WORD}")
    assert (refused.reason, refused.metadata["categories"]) == ("CONTENT_BLOCKED", "rude")


async def test_what_it_finds_is_cut_out(it: Stage) -> None:
    """Where it says that it is, in characters, not in bytes."""
    await it.set(action=FILTER_ACTION_SANITISE)
    await it.client.post_message(it.conversation, f"Grüße 😀, {WORD}! And {WORD}.")
    assert await it.newest() == "Grüße 😀, [rude]! And [rude]."
    assert (await it.verdict()).found == 2


async def test_it_sees_all_of_the_longest_message(it: Stage) -> None:
    """A message may be longer than a tool's arguments; nothing behind their limit is missed."""
    await it.set(action=FILTER_ACTION_SANITISE)
    long = "ä\n" * 80_000 + WORD
    response = await it.client.try_filters(it.workspace, *[long] * 4)
    assert [len(part.text) for part in response.parts] == [160_006] * 4
    assert not response.refused


async def test_many_findings_are_all_heard(it: Stage) -> None:
    """What it says may be longer than a tool's result is elsewhere."""
    await it.set(action=FILTER_ACTION_SANITISE)
    it.moderation.category = "a" * 64
    tried = await it.client.try_filters(it.workspace, f"{WORD} " * 1_000)
    assert (tried.refused, tried.verdicts[0].found) == (False, 1_000)


async def test_a_tools_result_is_looked_at_but_not_the_filters_own_call(it: Stage) -> None:
    """What the filter's tool returns to the filter is not asked of the filter again."""
    await it.set(action=FILTER_ACTION_SANITISE)
    given = {"texts": [f"you {WORD}"]}
    called = await it.client.call_tool(it.workspace, TOOL, given)
    assert "rude" in text_of(called.parts)
    assert len(it.moderation.asked) == 2  # what was called by hand, and what that returned
    assert "findings" in it.moderation.asked[1].texts[0]


@pytest.mark.parametrize("opens", [False, True])
async def test_what_it_can_not_say_is_as_declared(it: Stage, opens: bool) -> None:
    """It is slow, breaks, says what can't be, and is asked by a name that nobody has."""
    await it.set(
        timeout=Duration(nanos=300_000_000),
        on_failure=FILTER_FAILURE_OPEN if opens else FILTER_FAILURE_CLOSED,
    )
    text = f"hello {WORD}" if opens else "hello"
    for field, value, why in (
        ("slow_s", 5.0, "DEADLINE_EXCEEDED"),
        ("breaks", True, "TOOL_FAILED"),
        ("nowhere", True, "TOOL_FAILED"),
        ("category", "<b>rude</b>", "TOOL_FAILED"),
    ):
        if field in ("nowhere", "category") and not opens:
            text = f"hello {WORD}"
        before = getattr(it.moderation, field)
        setattr(it.moderation, field, value)
        if opens:
            await it.client.post_message(it.conversation, text)
        else:
            refused = await it.refusal(text)
            assert (refused.reason, refused.metadata["filter"]) == ("FILTER_UNAVAILABLE", "others")
        assert (await it.verdict()).failure == why
        setattr(it.moderation, field, before)


@pytest.mark.parametrize(
    ("parent", "tool", "what"),
    [
        ("", "moderation.RemoteFilterService.Scren", "the workspace has"),
        ("", "moderatoin.RemoteFilterService.Screen", "the workspace has"),
        ("", "antiphon.search", "the workspace has"),
        ("global", TOOL, "the installation has"),
    ],
)
async def test_a_tool_that_is_not_there_is_refused(
    it: Stage, parent: str, tool: str, what: str
) -> None:
    """A typo, what filters can't ask, another's connection: nobody could say anything."""
    parent, asked = parent or it.workspace, RemoteFilter(tool=tool)
    words = Filter(name="words", action=FILTER_ACTION_BLOCK, terms=TermsFilter(terms=["x"]))
    others = Filter(name="others", action=FILTER_ACTION_BLOCK, remote=asked)
    with pytest.raises(AntiphonError) as refused:
        await it.client.set_filters(parent, [words, others])
    assert refused.value.reason == "INVALID_ARGUMENT"
    ((field, why),) = refused.value.violations.items()
    assert field == "filters[1].remote.tool"
    assert tool in why
    assert what in why
    assert not (await it.client.get_filters(parent)).filters
    off = Filter(name="others", action=FILTER_ACTION_BLOCK, remote=asked, disabled=True)
    await it.client.set_filters(parent, [off])  # it looks at nothing
    await it.client.set_filters(parent, [])


async def test_one_that_has_gone_fails(it: Stage) -> None:
    """It is a failure of the filter, not of who says something; others may be changed."""
    await it.set()
    given = await it.client.get_connection(it.workspace, "moderation")
    await it.client.delete_connection(it.workspace, "moderation")
    assert (await it.refusal("hello")).reason == "FILTER_UNAVAILABLE"
    assert (await it.verdict()).failure == "TOOL_NOT_FOUND"
    await it.set(on_failure=FILTER_FAILURE_OPEN)
    await it.client.post_message(it.conversation, "hello")
    made = connection_pb2.Connection(name="moderation", grpc=given.grpc)
    await it.client.create_connection(it.workspace, made)


async def test_one_of_the_installation(tmp_path: Path) -> None:
    """Its connection is in the settings; it is down until it is started, and tried without
    a workspace.
    """
    port, moderation = free_port(), Moderation(WORD)
    given = [{"name": "moderation", "grpc": f"http://127.0.0.1:{port}"}]
    server = ServerProcess(tmp_path, variables={"ANTIPHON_CONNECTIONS": json.dumps(given)})
    async with all_of([server]), server.client() as client:
        conversation = await client.create_conversation(title="moderated")
        others = Filter(name="others", action=FILTER_ACTION_BLOCK, remote=RemoteFilter(tool=TOOL))
        await client.set_filters("global", [others])
        with pytest.raises(AntiphonError) as refused:
            await client.post_message(conversation.conversation_id, "hello")
        assert refused.value.reason == "FILTER_UNAVAILABLE"
        async with serving(moderation, port):
            await client.test_connection(conversation.workspace_id, "moderation")
            await client.post_message(conversation.conversation_id, "hello")
            tried = await client.try_filters("global", f"you {WORD}")
            assert [it.categories for it in tried.verdicts] == [["rude"]]
            with pytest.raises(AntiphonError) as refused:
                await client.post_message(conversation.conversation_id, f"you {WORD}")
            assert refused.value.reason == "CONTENT_BLOCKED"
