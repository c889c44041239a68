"""Who may serve what: the contract's messages <-> the rules."""

from antiphon.dispatcher.v1 import worker_service_pb2 as pb
from antiphon_server.runtime.access.principal import UserId
from antiphon_server.runtime.rpc.paging import decode_page_token, encode_page_token, page_limit
from antiphon_server.runtime.trail.relay import TrailRelay
from antiphon_server.workers.model import HandlerName, Parent, WorkerPermission
from antiphon_server.workers.permissions import Permissions


class PermissionCalls:
    """Three calls of WorkerService."""

    def __init__(self, permissions: Permissions, trail: TrailRelay) -> None:
        self._permissions, self._trail = permissions, trail

    async def allow(self, request: pb.AllowWorkerRequest) -> pb.AllowWorkerResponse:
        """AllowWorker."""
        named = HandlerName(request.handler), UserId(request.user_id)
        await self._permissions.allow(Parent(request.parent), *named)
        await self._trail.tell()
        return pb.AllowWorkerResponse()

    async def forbid(self, request: pb.ForbidWorkerRequest) -> pb.ForbidWorkerResponse:
        """ForbidWorker."""
        named = HandlerName(request.handler), UserId(request.user_id)
        await self._permissions.forbid(Parent(request.parent), *named)
        await self._trail.tell()
        return pb.ForbidWorkerResponse()

    async def listed(
        self, request: pb.ListWorkerPermissionsRequest
    ) -> pb.ListWorkerPermissionsResponse:
        """ListWorkerPermissions."""
        listed, limit = f"worker permissions of {request.parent}", page_limit(request.page_size)
        handler, user_id = decode_page_token(request.page_token, listed, fields=2) or ("", "")
        after = handler, user_id
        found = await self._permissions.listed(Parent(request.parent), after, limit + 1)
        page, token = found[:limit], ""
        if len(found) > limit:
            token = encode_page_token(listed, page[-1].handler, page[-1].user_id)
        return pb.ListWorkerPermissionsResponse(
            permissions=map(_encoded, page), next_page_token=token
        )


def _encoded(permission: WorkerPermission) -> pb.WorkerPermission:
    message = pb.WorkerPermission(
        handler=permission.handler, user_id=permission.user_id, creator=permission.creator
    )
    message.create_time.FromMicroseconds(permission.created_us)
    return message
