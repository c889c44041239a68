"""ForgettingService: decode, call, encode. Files are scrubbed once, when all is done.

The audit trail is told before, since what is forgotten is committed then.
"""

from typing import Any

from antiphon.memory.v1 import forgetting_service_pb2 as pb
from antiphon.memory.v1.forgetting_service_pb2_grpc import ForgettingServiceServicer
from antiphon_server.memory.entities.naming import Naming
from antiphon_server.memory.memories.forgetting import Forgetting
from antiphon_server.memory.model import ConversationId, MessageId
from antiphon_server.memory.ports import Assemblies, Files
from antiphon_server.memory.search.library import Library
from antiphon_server.memory.summaries.summarising import Summarising
from antiphon_server.memory.whiteboard.whiteboards import Whiteboards
from antiphon_server.runtime.trail.relay import TrailRelay


class ForgettingServicer(ForgettingServiceServicer):
    """The RPCs of ``antiphon.memory.v1.ForgettingService``."""

    def __init__(
        self,
        forgetting: Forgetting,
        whiteboards: Whiteboards,
        assemblies: Assemblies,
        naming: Naming,
        summarising: Summarising,
        library: Library,
        files: Files,
        trail: TrailRelay,
    ) -> None:
        self._forgetting, self._whiteboards = forgetting, whiteboards
        self._assemblies, self._naming, self._summarising = assemblies, naming, summarising
        self._library, self._files, self._trail = library, files, trail

    async def ForgetSources(
        self, request: pb.ForgetSourcesRequest, context: Any
    ) -> pb.ForgetSourcesResponse:
        where = ConversationId(request.conversation_id)
        those = [MessageId(it) for it in request.message_ids]
        await self._forgetting.forget(where, those, request.actor)
        await self._naming.forget_sources(where, those)
        await self._library.forget(where, those)
        await self._summarising.forget(where, those)
        await self._whiteboards.erase(where, list(request.turn_ids), request.actor)
        await self._trail.tell()
        await self._files.scrub()
        return pb.ForgetSourcesResponse()

    async def ForgetScope(
        self, request: pb.ForgetScopeRequest, context: Any
    ) -> pb.ForgetScopeResponse:
        await self._forgetting.forget_scope(request.scope, request.actor)
        await self._naming.forget_scope(request.scope)
        kind, _, where = request.scope.partition("/")
        if kind == "conversations":
            await self._whiteboards.remove(ConversationId(where))
            await self._assemblies.remove(ConversationId(where))
        await self._trail.tell()
        await self._files.scrub()
        return pb.ForgetScopeResponse()
