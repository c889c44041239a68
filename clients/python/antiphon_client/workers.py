"""Workers: whose may serve which handlers, which are there, and in which versions."""

from collections.abc import AsyncGenerator
from typing import TYPE_CHECKING

from antiphon.dispatcher.v1 import worker_service_pb2 as messages
from antiphon_client.caller import Caller, pages

if TYPE_CHECKING:
    from antiphon.dispatcher.v1.worker_service_pb2_grpc import WorkerServiceAsyncStub


class Workers:
    """What admins and operators do with workers; a parent is a workspace's id or "global".

    Errors: AntiphonError, as each RPC's comment says.
    """

    _workers: "WorkerServiceAsyncStub"
    _caller: Caller

    async def allow_worker(self, parent: str, handler: str, user_id: str) -> None:
        """Let a user's workers serve a handler; repeated, it changes nothing."""
        request = messages.AllowWorkerRequest(parent=parent, handler=handler, user_id=user_id)
        await self._caller.call(self._workers.AllowWorker, request)

    async def forbid_worker(self, parent: str, handler: str, user_id: str) -> None:
        """Take that back: what its workers have goes on elsewhere."""
        request = messages.ForbidWorkerRequest(parent=parent, handler=handler, user_id=user_id)
        await self._caller.call(self._workers.ForbidWorker, request)

    def list_worker_permissions(self, parent: str) -> AsyncGenerator[messages.WorkerPermission]:
        """Which users' workers may serve which handlers, by handler."""

        async def fetch(page_token: str) -> messages.ListWorkerPermissionsResponse:
            request = messages.ListWorkerPermissionsRequest(parent=parent, page_token=page_token)
            return await self._caller.call(self._workers.ListWorkerPermissions, request)

        return pages(fetch, lambda page: page.permissions)

    def list_workers(self, parent: str) -> AsyncGenerator[messages.Worker]:
        """The workers that are there now, by deployment."""

        async def fetch(page_token: str) -> messages.ListWorkersResponse:
            request = messages.ListWorkersRequest(parent=parent, page_token=page_token)
            return await self._caller.call(self._workers.ListWorkers, request)

        return pages(fetch, lambda page: page.workers)

    def list_deployments(self, parent: str) -> AsyncGenerator[messages.Deployment]:
        """What workers are deployments of, by name, each with its versions."""

        async def fetch(page_token: str) -> messages.ListDeploymentsResponse:
            request = messages.ListDeploymentsRequest(parent=parent, page_token=page_token)
            return await self._caller.call(self._workers.ListDeployments, request)

        return pages(fetch, lambda page: page.deployments)

    async def set_rollout(
        self,
        parent: str,
        deployment: str,
        current: str = "",
        *,
        ramping: str = "",
        percent: int = 0,
        etag: str = "",
    ) -> messages.Deployment:
        """Say which versions begin new turns; without ``current`` the newest does again."""
        request = messages.SetRolloutRequest(
            parent=parent,
            deployment=deployment,
            current_version=current,
            ramping_version=ramping,
            ramping_percent=percent,
            etag=etag,
        )
        return (await self._caller.call(self._workers.SetRollout, request)).deployment
