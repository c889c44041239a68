"""Memories that nobody needs: shown, put away, brought back."""

from typing import TYPE_CHECKING

from antiphon.memory.v1 import pruning_service_pb2 as messages
from antiphon.memory.v1.memory_pb2 import Memory
from antiphon.memory.v1.pruning_service_pb2 import PruningRule, Retention
from antiphon_client.caller import Caller

if TYPE_CHECKING:
    from antiphon.memory.v1.pruning_service_pb2_grpc import PruningServiceAsyncStub


class Pruning:
    """Puts memories away by a rule, once or each day.

    A ``scope`` is ``users/user_…``, ``workspaces/ws_…`` or ``conversations/conv_…``; without one
    it is the caller's own. Errors: AntiphonError, as each RPC's comment says.
    """

    _pruning: "PruningServiceAsyncStub"
    _caller: Caller

    async def prune_memories(
        self, rule: PruningRule, scope: str = "", *, validate_only: bool = False
    ) -> messages.PruneMemoriesResponse:
        """Put away what fits, or say what that would be: at most 1,000 at once."""
        request = messages.PruneMemoriesRequest(scope=scope, rule=rule, validate_only=validate_only)
        return await self._caller.call(self._pruning.PruneMemories, request)

    async def restore_memory(self, memory_id: str, scope: str = "") -> Memory:
        """Bring back one that was put away."""
        request = messages.RestoreMemoryRequest(scope=scope, memory_id=memory_id)
        return (await self._caller.call(self._pruning.RestoreMemory, request)).memory

    async def get_retention(self, scope: str = "") -> Retention | None:
        """The rule by which the scope is pruned each day, if it has one."""
        request = messages.GetRetentionRequest(scope=scope)
        found = await self._caller.call(self._pruning.GetRetention, request)
        return found.retention if found.HasField("retention") else None

    async def set_retention(self, rule: PruningRule | None, scope: str = "") -> Retention | None:
        """Have the scope pruned by a rule each day, or by None never."""
        request = messages.SetRetentionRequest(scope=scope, rule=rule)
        found = await self._caller.call(self._pruning.SetRetention, request)
        return found.retention if found.HasField("retention") else None
