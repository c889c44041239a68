"""Memories by the grant of a turn, and by services: what they reach, and what they have to say."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any

import pytest
import pytest_asyncio

from antiphon.memory.v1 import memory_pb2, search_service_pb2
from antiphon.memory.v1 import memory_service_pb2 as pb
from antiphon.memory.v1.memory_service_pb2_grpc import MemoryServiceStub
from antiphon.memory.v1.search_service_pb2_grpc import SearchServiceStub
from tests.access.granted import Turn, tokens_of
from tests.access.people import bearer
from tests.e2e.callers import Caller, channel_to, operator, user
from tests.e2e.refusals import refused
from tests.e2e.server import ServerProcess
from tests.proofs.bench.antiphon import service_token

pytestmark = pytest.mark.asyncio(loop_scope="module")
FACT = memory_pb2.MEMORY_KIND_FACT
MODEL = memory_pb2.MEMORY_ORIGIN_MODEL


@dataclass(frozen=True, slots=True)
class Stage:
    """A server, somebody whose turn runs, its grant, and a service's token."""

    memories: Any
    search: Any
    ann: Caller
    other: Caller
    grant: str
    service: str

    @property
    def scope(self) -> str:
        """The turn's conversation."""
        return f"conversations/{self.ann.known['conv']}"

    @property
    def own(self) -> str:
        """The person's own."""
        return f"users/{self.ann.known['user']}"

    @property
    def source(self) -> memory_pb2.MemorySource:
        """What was said there."""
        known = self.ann.known
        return memory_pb2.MemorySource(conversation_id=known["conv"], message_id=known["msg"])

    def put(self, token: str, scope: str, text: str, **said: Any) -> Any:
        """Put a memory."""
        memory = memory_pb2.Memory(kind=FACT, text=text, **said)
        request = pb.PutMemoryRequest(scope=scope, memory=memory)
        return self.memories.PutMemory(request, metadata=bearer(token))

    def recall(self, token: str, query: str, **asked: Any) -> Any:
        """Recall memories alone."""
        request = search_service_pb2.RecallRequest(
            query=query,
            kinds=[search_service_pb2.RECALLED_KIND_FACT],
            **asked,
        )
        return self.search.Recall(request, metadata=bearer(token))


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def it(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Stage]:
    home = tmp_path_factory.mktemp("memories")
    async with ServerProcess(home) as server:
        await server.terminate()
        service = await service_token(server.data_dir)
        await server.start()
        await operator(server)
        async with channel_to(server) as channel:
            ann, other = [await user(server, name) for name in ("ann", "other")]
            grant = (await Turn.begun(channel, ann)).grant(tokens_of(server))
            memories, search = MemoryServiceStub(channel), SearchServiceStub(channel)
            yield Stage(memories, search, ann, other, grant, service)


async def test_a_grant_reaches_its_conversations_memories_alone(it: Stage) -> None:
    """Neither its person's own, nor its workspace's, nor another conversation's."""
    put = await it.put(it.grant, it.scope, "Ann said hello", sources=[it.source], origin=MODEL)
    assert put.memory.creator.startswith("turns/turn_")
    await it.put(it.ann.token, "", "Ann said hello to herself")
    workspace = f"workspaces/{it.ann.known['ws']}"
    await it.put(it.ann.token, workspace, "All said hello")
    found = await it.recall(it.grant, "who said hello")
    assert [one.memory.text for one in found.recalled] == ["Ann said hello"]
    for scope in (it.own, workspace, f"conversations/{it.other.known['conv']}"):
        said = it.put(it.grant, scope, "Anything", sources=[it.source], origin=MODEL)
        assert await refused(said) == "NOT_FOUND"
        assert not (await it.recall(it.grant, "hello", scopes=[scope])).recalled
    assert await refused(it.put(it.grant, "", "Anything")) == "PERMISSION_DENIED"


async def test_a_worker_is_no_person(it: Stage) -> None:
    """What it puts has sources, and says that no person has put it."""
    unsaid = it.put(it.grant, it.scope, "Ann sings", origin=MODEL)
    assert await refused(unsaid) == "INVALID_ARGUMENT"
    posing = it.put(it.grant, it.scope, "Ann sings", sources=[it.source])
    assert await refused(posing) == "INVALID_ARGUMENT"


async def test_a_service_says_for_whom(it: Stage) -> None:
    """It puts what somebody may read into their own, and recalls what they may read."""
    put = await it.put(it.service, it.own, "Ann greets", sources=[it.source], origin=MODEL)
    assert (put.memory.scope, put.memory.creator) == (it.own, "services/dispatcher")
    found = await it.recall(it.service, "greets", user_id=it.ann.known["user"])
    assert [one.memory.text for one in found.recalled] == ["Ann greets"]
    other = it.other.known["user"]
    assert not (await it.recall(it.service, "greets", user_id=other)).recalled
    theirs = it.put(it.service, f"users/{other}", "Ann greets", sources=[it.source], origin=MODEL)
    assert await refused(theirs) == "MEMORY_SOURCE_INVALID"
    unsourced = it.put(it.service, it.own, "Ann greets loudly")
    assert await refused(unsourced) == "INVALID_ARGUMENT"
    assert await refused(it.recall(it.service, "greets")) == "INVALID_ARGUMENT"
    assert await refused(it.put(it.service, "", "Own")) == "INVALID_ARGUMENT"
    export = pb.ExportMemoriesRequest()
    asked = it.memories.ExportMemories(export, metadata=bearer(it.service))
    assert await refused(asked) == "INVALID_ARGUMENT"
    export.user_id = it.ann.known["user"]
    found = await it.memories.ExportMemories(export, metadata=bearer(it.service))
    assert "Ann greets" in [one.memory.text for one in found.memories]


async def test_a_user_gets_their_own_whomever_they_name(it: Stage) -> None:
    request = pb.ExportMemoriesRequest(user_id=it.ann.known["user"])
    found = await it.memories.ExportMemories(request, metadata=it.other.metadata)
    assert not found.memories
    recalled = await it.recall(it.other.token, "hello", user_id=it.ann.known["user"])
    assert not recalled.recalled


async def test_bad_input_is_refused(it: Stage) -> None:
    bad: tuple[dict[str, Any], ...] = (
        {"text": " "},
        {"kind": 0},
        {"kind": 99},
        {"subject": "users/ann"},
        {"importance": 1.5},
        {"entities": ["a"] * 2},
        {"sources": [it.source] * 33},
        {"supersedes": "mem_"},
    )
    for said in bad:
        memory = memory_pb2.Memory(**{"kind": FACT, "text": "Said", **said})
        request = pb.PutMemoryRequest(memory=memory)
        asked = it.memories.PutMemory(request, metadata=it.ann.metadata)
        assert await refused(asked) == "INVALID_ARGUMENT", said
    past = memory_pb2.Memory(kind=FACT, text="Said")
    past.expire_time.FromSeconds(1)
    late = memory_pb2.Memory(kind=FACT, text="Said")
    late.valid_from.FromSeconds(10)
    late.valid_until.FromSeconds(9)
    far = memory_pb2.Memory(kind=FACT, text="Said")
    far.valid_from.seconds = 1 << 60
    for memory in (past, late, far):
        request = pb.PutMemoryRequest(memory=memory)
        asked = it.memories.PutMemory(request, metadata=it.ann.metadata)
        assert await refused(asked) == "INVALID_ARGUMENT", memory
    recall = search_service_pb2.RecallRequest(query="x", scopes=["global"])
    assert await refused(it.search.Recall(recall, metadata=it.ann.metadata)) == "INVALID_ARGUMENT"
