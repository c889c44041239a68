"""PruningService: decode, call, encode."""

from collections.abc import Sequence
from typing import Any

from antiphon.memory.v1 import pruning_service_pb2 as pb
from antiphon.memory.v1.pruning_service_pb2_grpc import PruningServiceServicer
from antiphon_server.memory.encoding import pruning as encoding
from antiphon_server.memory.encoding.memories import memory_message
from antiphon_server.memory.memories.sources import Sources
from antiphon_server.memory.pruning.model import Pruned
from antiphon_server.memory.pruning.pruning import Pruning
from antiphon_server.memory.servicers.scopes import scope_of
from antiphon_server.runtime.access.principal import current_principal


class PruningServicer(PruningServiceServicer):
    """The RPCs of ``antiphon.memory.v1.PruningService``."""

    def __init__(self, pruning: Pruning, sources: Sources) -> None:
        self._pruning, self._sources = pruning, sources

    async def PruneMemories(
        self, request: pb.PruneMemoriesRequest, context: Any
    ) -> pb.PruneMemoriesResponse:
        scope, rule = scope_of(request.scope), encoding.rule_of(request.rule)
        if request.validate_only:
            found, more = await self._pruning.shown(scope, rule)
        else:
            found, more = await self._pruning.prune(scope, rule, current_principal().actor)
        return pb.PruneMemoriesResponse(pruned=await self._shown(found), more=more)

    async def RestoreMemory(
        self, request: pb.RestoreMemoryRequest, context: Any
    ) -> pb.RestoreMemoryResponse:
        principal = current_principal()
        scope = scope_of(request.scope)
        found = await self._pruning.restore(scope, request.memory_id, principal.actor)
        (shown,) = await self._sources.shown(principal, [found])
        return pb.RestoreMemoryResponse(memory=memory_message(shown))

    async def GetRetention(
        self, request: pb.GetRetentionRequest, context: Any
    ) -> pb.GetRetentionResponse:
        found = await self._pruning.retention(scope_of(request.scope))
        return pb.GetRetentionResponse(
            retention=encoding.retention_message(found) if found else None
        )

    async def SetRetention(
        self, request: pb.SetRetentionRequest, context: Any
    ) -> pb.SetRetentionResponse:
        rule = encoding.rule_of(request.rule) if request.HasField("rule") else None
        actor = current_principal().actor
        found = await self._pruning.set_retention(scope_of(request.scope), rule, actor)
        return pb.SetRetentionResponse(
            retention=encoding.retention_message(found) if found else None
        )

    async def _shown(self, found: Sequence[Pruned]) -> Sequence[pb.PrunedMemory]:
        """With the sources that the caller may read."""
        memories = await self._sources.shown(current_principal(), [it.memory for it in found])
        return [
            encoding.pruned_message(Pruned(memory, it.reason))
            for memory, it in zip(memories, found, strict=True)
        ]
