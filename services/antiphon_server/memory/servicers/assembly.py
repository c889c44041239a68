"""AssemblyService: decode, call, encode."""

from typing import Any

from antiphon.memory.v1 import assembly_service_pb2 as pb
from antiphon.memory.v1.assembly_service_pb2_grpc import AssemblyServiceServicer
from antiphon_server.memory.assembly.assembling import Assembling
from antiphon_server.memory.encoding import assembly as encoding
from antiphon_server.memory.model import ConversationId
from antiphon_server.runtime.access.principal import current_principal


class AssemblyServicer(AssemblyServiceServicer):
    """The RPCs of ``antiphon.memory.v1.AssemblyService``."""

    def __init__(self, assembling: Assembling) -> None:
        self._assembling = assembling

    async def AssembleContext(
        self, request: pb.AssembleContextRequest, context: Any
    ) -> pb.AssembleContextResponse:
        wish = encoding.assembly_wish_of(request)
        return encoding.assembled(await self._assembling.assemble(current_principal(), wish))

    async def ExplainContext(
        self, request: pb.ExplainContextRequest, context: Any
    ) -> pb.ExplainContextResponse:
        conversation_id = ConversationId(request.conversation_id)
        found = await self._assembling.explain(
            current_principal(), conversation_id, request.turn_id
        )
        return encoding.explained(found)
