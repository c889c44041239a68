"""ErasureService: decode, call, encode."""

from typing import Any

from antiphon.context.v1 import erasure_service_pb2 as pb
from antiphon.context.v1.erasure_service_pb2_grpc import ErasureServiceServicer
from antiphon_server.context.model.erasure_tasks import ErasureTask
from antiphon_server.context.model.resources import ConversationId, WorkspaceId
from antiphon_server.context.service.erasure_tasks import ErasureTasks
from antiphon_server.runtime.access.principal import UserId, current_principal


class ErasureServicer(ErasureServiceServicer):
    """The RPCs of ``antiphon.context.v1.ErasureService``."""

    def __init__(self, tasks: ErasureTasks) -> None:
        self._tasks = tasks

    async def EraseConversation(
        self, request: pb.EraseConversationRequest, context: Any
    ) -> pb.EraseConversationResponse:
        where = ConversationId(request.conversation_id)
        task = await self._tasks.conversation(current_principal(), where)
        return pb.EraseConversationResponse(progress=_progress(task))

    async def EraseWorkspace(
        self, request: pb.EraseWorkspaceRequest, context: Any
    ) -> pb.EraseWorkspaceResponse:
        where = WorkspaceId(request.workspace_id)
        task = await self._tasks.workspace(current_principal(), where)
        return pb.EraseWorkspaceResponse(progress=_progress(task))

    async def ErasePerson(
        self, request: pb.ErasePersonRequest, context: Any
    ) -> pb.ErasePersonResponse:
        who = UserId(request.user_id)
        task = await self._tasks.person(current_principal(), who)
        return pb.ErasePersonResponse(progress=_progress(task))


def _progress(task: ErasureTask) -> pb.ErasureProgress:
    it = pb.ErasureProgress(
        resource=task.resource,
        erased_messages=task.erased_messages,
        waiting_turn_id=task.waiting_turn_id,
        left_conversations=task.left_conversations,
    )
    it.create_time.FromMicroseconds(task.create_us)
    if task.done_us:
        it.done_time.FromMicroseconds(task.done_us)
    return it
