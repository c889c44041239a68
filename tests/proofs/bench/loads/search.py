"""One who searches and recalls: until all is read, word after word, what was said just now."""

import secrets
import time
from dataclasses import dataclass
from typing import Any

import grpc

from antiphon.context.v1.context_service_pb2 import PostMessageRequest
from antiphon.context.v1.context_service_pb2_grpc import ContextServiceStub
from antiphon.context.v1.message_pb2 import Part
from antiphon.memory.v1.search_service_pb2 import RecallRequest, SearchMessagesRequest
from antiphon.memory.v1.search_service_pb2_grpc import SearchServiceStub
from tests.proofs.bench.loads.client import Target, channels

TIMEOUT_S = 60.0
WARM = 20


@dataclass(frozen=True, slots=True)
class Job:
    """Search for each of ``queries``, recall each, then ``posts`` times post and search."""

    target: dict[str, Any]
    queries: list[str]
    conversation: str
    posts: int


async def run(job: Job) -> dict[str, Any]:
    """Returns seconds: until all was read, of each call, and from a post's answer to its hit.

    ``search_cpu_ms`` is the server's processor time for a search.
    """
    target = Target(**job.target)
    async with channels(target, 1) as (channel,):
        searcher = _Searcher(target, channel)
        result: dict[str, Any] = {"ready_s": await searcher.until_read()}
        for query in job.queries[:WARM]:
            await searcher.find(query)
        used_s = target.cpu_s
        result["search_s"] = [(await searcher.find(query))[0] for query in job.queries]
        result["search_cpu_ms"] = (target.cpu_s - used_s) * 1000 / len(job.queries)
        result["recall_s"] = [await searcher.recall(query) for query in job.queries]
        found = [await searcher.post_and_find(job.conversation) for _ in range(job.posts)]
    return result | {
        "findable_s": [findable_s for findable_s, _ in found],
        "after_post_s": [took_s for _, took_s in found],
    }


class _Searcher:
    """Searches in all that the caller may read."""

    def __init__(self, target: Target, channel: grpc.aio.Channel) -> None:
        self._search, self._context = SearchServiceStub(channel), ContextServiceStub(channel)
        self._asked: dict[str, Any] = {"metadata": target.metadata, "timeout": TIMEOUT_S}

    async def find(self, query: str) -> tuple[float, Any]:
        """How long that took, in seconds, and the answer."""
        begun = time.perf_counter()
        request = SearchMessagesRequest(query=query)
        answer = await self._search.SearchMessages(request, **self._asked)
        return time.perf_counter() - begun, answer

    async def recall(self, query: str) -> float:
        """How long it takes to find messages and memories, in seconds."""
        begun = time.perf_counter()
        await self._search.Recall(RecallRequest(query=query), **self._asked)
        return time.perf_counter() - begun

    async def until_read(self) -> float:
        """Search until nothing is pending; returns the seconds that takes."""
        begun, pending = time.perf_counter(), 1
        while pending:
            _, answer = await self.find("nothing")
            pending = answer.pending_conversations
        return time.perf_counter() - begun

    async def post_and_find(self, conversation: str) -> tuple[float, float]:
        """Seconds from a post's answer to the search that finds it, and what that one takes."""
        word = secrets.token_hex(6) + "q"
        post = PostMessageRequest(conversation_id=conversation, parts=[Part(text=word)])
        await self._context.PostMessage(post, **self._asked)
        answered = time.perf_counter()
        while True:
            asked = time.perf_counter()
            took_s, answer = await self.find(word)
            if answer.hits:
                return asked - answered, took_s
