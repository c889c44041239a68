"""Which hosts a workspace keeps to, as the integration service knows it."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from antiphon.integration.v1.connection_service_pb2 import GetEgressRulesRequest
from antiphon_server.runtime.errors.wire import remote_errors

if TYPE_CHECKING:  # it exists for the type checker alone
    from antiphon.integration.v1.connection_service_pb2_grpc import ConnectionServiceAsyncStub

TIMEOUT_S = 5.0


class WorkspaceHosts:
    """Asks for them each time: a host that is taken off the list is called no more."""

    def __init__(self, connections: "ConnectionServiceAsyncStub") -> None:
        self._connections = connections

    async def of(self, workspace_id: str) -> Sequence[str]:
        """The hosts; none if the workspace may call all that the operator allows."""
        request = GetEgressRulesRequest(workspace_id=workspace_id)
        with remote_errors("integration"):
            found = await self._connections.GetEgressRules(request, timeout=TIMEOUT_S)
        return found.rules.hosts
