"""Memories: what is remembered, where it comes from, and how it is corrected and forgotten."""

from collections.abc import AsyncGenerator, Sequence
from datetime import datetime
from typing import TYPE_CHECKING

from google.protobuf.field_mask_pb2 import FieldMask
from google.protobuf.timestamp_pb2 import Timestamp

from antiphon.memory.v1 import memory_service_pb2 as messages
from antiphon.memory.v1.external_memory_pb2 import ExternalMemoryStatus
from antiphon.memory.v1.memory_pb2 import (
    MEMORY_KIND_FACT,
    MEMORY_ORIGIN_PERSON,
    Memory,
    MemoryKind,
    MemoryOrigin,
    MemorySource,
    MemoryState,
)
from antiphon.memory.v1.search_service_pb2 import RecalledKind, RecallRequest, RecallResponse
from antiphon_client.caller import Caller, pages
from antiphon_client.ids import new_request_id

if TYPE_CHECKING:
    from antiphon.memory.v1.memory_service_pb2_grpc import MemoryServiceAsyncStub
    from antiphon.memory.v1.search_service_pb2_grpc import SearchServiceAsyncStub


class Memories:
    """What is remembered of people, workspaces and conversations.

    A ``scope`` is ``users/user_…``, ``workspaces/ws_…`` or ``conversations/conv_…``; without one
    they are the caller's own. Errors: AntiphonError, as each RPC's comment says.
    """

    _memories: "MemoryServiceAsyncStub"
    _search: "SearchServiceAsyncStub"
    _caller: Caller

    async def put_memory(
        self,
        text: str,
        scope: str = "",
        *,
        kind: MemoryKind.ValueType = MEMORY_KIND_FACT,
        subject: str = "",
        entities: Sequence[str] = (),
        valid_from: datetime | None = None,
        valid_until: datetime | None = None,
        expire_time: datetime | None = None,
        importance: float | None = None,
        sources: Sequence[MemorySource] = (),
        origin: MemoryOrigin.ValueType = MEMORY_ORIGIN_PERSON,
        supersedes: str = "",
        request_id: str = "",
    ) -> Memory:
        """Remember something; what is there already is returned, with its sources joined."""
        memory = Memory(
            kind=kind,
            text=text,
            subject=subject,
            entities=entities,
            valid_from=_timestamp(valid_from),
            valid_until=_timestamp(valid_until),
            expire_time=_timestamp(expire_time),
            importance=importance,
            sources=sources,
            origin=origin,
            supersedes=supersedes,
        )
        request = messages.PutMemoryRequest(
            scope=scope, memory=memory, request_id=request_id or new_request_id()
        )
        return (await self._caller.call(self._memories.PutMemory, request)).memory

    async def get_memory(self, memory_id: str, scope: str = "") -> Memory:
        """One memory as it is now."""
        request = messages.GetMemoryRequest(scope=scope, memory_id=memory_id)
        return (await self._caller.call(self._memories.GetMemory, request)).memory

    def list_memories(
        self,
        scope: str = "",
        *,
        kinds: Sequence[MemoryKind.ValueType] = (),
        states: Sequence[MemoryState.ValueType] = (),
        subject: str = "",
    ) -> AsyncGenerator[Memory]:
        """A scope's memories, the newest first; without ``states`` those in use."""

        async def fetch(page_token: str) -> messages.ListMemoriesResponse:
            request = messages.ListMemoriesRequest(
                scope=scope, kinds=kinds, states=states, subject=subject, page_token=page_token
            )
            return await self._caller.call(self._memories.ListMemories, request)

        return pages(fetch, lambda page: page.memories)

    async def update_memory(
        self, memory: Memory, *names: str, only_if_unchanged: bool = False
    ) -> Memory:
        """Correct the named fields to what a memory says that was read before."""
        request = messages.UpdateMemoryRequest(
            scope=memory.scope,
            memory=memory,
            update_mask=FieldMask(paths=names),
            etag=memory.etag if only_if_unchanged else "",
        )
        return (await self._caller.call(self._memories.UpdateMemory, request)).memory

    async def forget_memory(self, memory_id: str) -> Memory:
        """Take away what a memory says, and all that it was; returns what is left."""
        request = messages.ForgetMemoryRequest(memory_id=memory_id)
        return (await self._caller.call(self._memories.ForgetMemory, request)).memory

    def list_memory_versions(self, memory_id: str, scope: str = "") -> AsyncGenerator[Memory]:
        """What a memory was before, the newest first."""

        async def fetch(page_token: str) -> messages.ListMemoryVersionsResponse:
            request = messages.ListMemoryVersionsRequest(
                scope=scope, memory_id=memory_id, page_token=page_token
            )
            return await self._caller.call(self._memories.ListMemoryVersions, request)

        return pages(fetch, lambda page: page.versions)

    def export_memories(self, user_id: str = "") -> AsyncGenerator[messages.ExportedMemory]:
        """All that is remembered of the caller: their own, and what is about them elsewhere."""

        async def fetch(page_token: str) -> messages.ExportMemoriesResponse:
            request = messages.ExportMemoriesRequest(user_id=user_id, page_token=page_token)
            return await self._caller.call(self._memories.ExportMemories, request)

        return pages(fetch, lambda page: page.memories)

    async def external_memory(self) -> ExternalMemoryStatus:
        """How the memory of others is that the server's settings name; for operators."""
        request = messages.GetExternalMemoryRequest()
        return (await self._caller.call(self._memories.GetExternalMemory, request)).status

    async def resync_external_memory(self, connection: str) -> ExternalMemoryStatus:
        """Have that one told everything anew; for operators."""
        request = messages.ResyncExternalMemoryRequest(connection=connection)
        return (await self._caller.call(self._memories.ResyncExternalMemory, request)).status

    async def recall(
        self,
        query: str,
        *,
        scopes: Sequence[str] = (),
        kinds: Sequence[RecalledKind.ValueType] = (),
        people: Sequence[str] = (),
        not_before: datetime | None = None,
        before: datetime | None = None,
        limit: int = 0,
        max_tokens: int = 0,
    ) -> RecallResponse:
        """Messages and memories that help with a query, the best first, within a budget."""
        request = RecallRequest(
            query=query,
            scopes=scopes,
            kinds=kinds,
            people=people,
            not_before=_timestamp(not_before),
            before=_timestamp(before),
            limit=limit,
            max_tokens=max_tokens,
        )
        return await self._caller.call(self._search.Recall, request)


def _timestamp(time: datetime | None) -> Timestamp | None:
    if time is None:
        return None
    made = Timestamp()
    made.FromDatetime(time)
    return made
