"""WorkerService: the contract's messages <-> the rules of workers."""

from typing import Any, TypeAlias

import grpc

from antiphon.dispatcher.v1 import worker_service_pb2 as pb
from antiphon.dispatcher.v1.worker_service_pb2_grpc import WorkerServiceServicer
from antiphon_server.workers.deployment_servicer import DeploymentCalls
from antiphon_server.workers.lending import Lending
from antiphon_server.workers.listing import Listing
from antiphon_server.workers.permission_servicer import PermissionCalls
from antiphon_server.workers.twin import Twin
from antiphon_server.workers.working import Working

Context: TypeAlias = "grpc.aio.ServicerContext[Any, Any]"


class WorkerServicer(WorkerServiceServicer):
    """Serves workers, and who looks after them."""

    def __init__(
        self,
        working: Working,
        twin: Twin,
        lending: Lending,
        listing: Listing,
        permissions: PermissionCalls,
        deployments: DeploymentCalls,
    ) -> None:
        self._working, self._twin, self._lending = working, twin, lending
        self._listing, self._permissions = listing, permissions
        self._deployments = deployments

    async def Work(  # type: ignore[override]
        self, request_iterator: object, context: Context
    ) -> None:
        await self._working.work(context)

    async def OpenWork(  # type: ignore[override]
        self, request: pb.OpenWorkRequest, context: Context
    ) -> None:
        await self._twin.open(request, context)

    async def UpdateWork(
        self, request: pb.UpdateWorkRequest, context: Context
    ) -> pb.UpdateWorkResponse:
        await self._twin.update(request, context)
        return pb.UpdateWorkResponse()

    async def Borrow(  # type: ignore[override]
        self, request_iterator: object, context: Context
    ) -> None:
        await self._lending.lend(context)

    async def AllowWorker(
        self, request: pb.AllowWorkerRequest, context: Context
    ) -> pb.AllowWorkerResponse:
        return await self._permissions.allow(request)

    async def ForbidWorker(
        self, request: pb.ForbidWorkerRequest, context: Context
    ) -> pb.ForbidWorkerResponse:
        return await self._permissions.forbid(request)

    async def ListWorkerPermissions(
        self, request: pb.ListWorkerPermissionsRequest, context: Context
    ) -> pb.ListWorkerPermissionsResponse:
        return await self._permissions.listed(request)

    async def ListWorkers(
        self, request: pb.ListWorkersRequest, context: Context
    ) -> pb.ListWorkersResponse:
        return await self._listing.workers(request, context.invocation_metadata())

    async def ListDeployments(
        self, request: pb.ListDeploymentsRequest, context: Context
    ) -> pb.ListDeploymentsResponse:
        return await self._deployments.listed(request)

    async def SetRollout(
        self, request: pb.SetRolloutRequest, context: Context
    ) -> pb.SetRolloutResponse:
        return await self._deployments.set(request)
