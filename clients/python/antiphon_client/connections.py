"""Connections: what is outside, whose tools can be called."""

from collections.abc import AsyncGenerator, Collection, Mapping
from typing import TYPE_CHECKING

from antiphon.integration.v1 import connection_service_pb2 as messages
from antiphon.integration.v1.connection_pb2 import Connection, ConnectionStatus, EgressRules
from antiphon.integration.v1.model_pb2 import BreakerState
from antiphon_client.caller import TOOL_DEADLINE_S, Caller, pages

if TYPE_CHECKING:
    from antiphon.integration.v1.connection_service_pb2_grpc import ConnectionServiceAsyncStub


class Connections:
    """The connection service. Errors: AntiphonError, as each RPC's comment says."""

    _connections: "ConnectionServiceAsyncStub"
    _caller: Caller

    async def create_connection(self, workspace_id: str, connection: Connection) -> Connection:
        """Make a connection of a workspace; it is probed from now on."""
        request = messages.CreateConnectionRequest(workspace_id=workspace_id, connection=connection)
        made = await self._caller.call(self._connections.CreateConnection, request)
        return made.connection

    async def get_connection(self, workspace_id: str, name: str) -> Connection:
        """One connection, with what is known of it."""
        request = messages.GetConnectionRequest(workspace_id=workspace_id, name=name)
        return (await self._caller.call(self._connections.GetConnection, request)).connection

    def list_connections(self, workspace_id: str) -> AsyncGenerator[Connection]:
        """Those that a workspace may use, by name."""

        async def fetch(page_token: str) -> messages.ListConnectionsResponse:
            request = messages.ListConnectionsRequest(
                workspace_id=workspace_id, page_token=page_token
            )
            return await self._caller.call(self._connections.ListConnections, request)

        return pages(fetch, lambda page: page.connections)

    async def update_connection(
        self, workspace_id: str, connection: Connection, fields: Collection[str]
    ) -> Connection:
        """Change these ``fields`` of the connection of that name, if its etag still holds."""
        request = messages.UpdateConnectionRequest(workspace_id=workspace_id, connection=connection)
        request.update_mask.paths.extend(fields)
        changed = await self._caller.call(self._connections.UpdateConnection, request)
        return changed.connection

    async def delete_connection(self, workspace_id: str, name: str) -> None:
        """Remove a connection, and its tools with it."""
        request = messages.DeleteConnectionRequest(workspace_id=workspace_id, name=name)
        await self._caller.call(self._connections.DeleteConnection, request)

    async def test_connection(self, workspace_id: str, name: str) -> Connection:
        """Probe a connection now; its status says what came of it."""
        request = messages.TestConnectionRequest(workspace_id=workspace_id, name=name)
        return (await self._caller.call(self._connections.TestConnection, request)).connection

    async def set_connection_breaker(
        self, workspace_id: str, name: str, breaker: "BreakerState.ValueType"
    ) -> ConnectionStatus:
        """Have every server make no calls by a connection (OPEN), or make them again (CLOSED).

        For operators; those of the installation are `global`.
        """
        request = messages.SetConnectionBreakerRequest(
            workspace_id=workspace_id, name=name, breaker=breaker
        )
        return (await self._caller.call(self._connections.SetConnectionBreaker, request)).status

    async def get_egress_rules(self, workspace_id: str) -> EgressRules:
        """Which hosts a workspace's connections may call."""
        request = messages.GetEgressRulesRequest(workspace_id=workspace_id)
        return (await self._caller.call(self._connections.GetEgressRules, request)).rules

    async def set_egress_rules(self, workspace_id: str, rules: EgressRules) -> EgressRules:
        """Say which hosts they may call, if the etag of ``rules`` still holds or is empty."""
        request = messages.SetEgressRulesRequest(workspace_id=workspace_id, rules=rules)
        return (await self._caller.call(self._connections.SetEgressRules, request)).rules

    async def forward(
        self,
        workspace_id: str,
        name: str,
        request: messages.HttpRequest | messages.SocketMessage,
    ) -> messages.ForwardResponse:
        """Send a request by a connection as it is, and return its answer.

        How long it may take is the server's to say, which ends it with TOOL_TIMEOUT.
        """
        wanted = messages.ForwardRequest(workspace_id=workspace_id, name=name)
        if isinstance(request, messages.HttpRequest):
            wanted.http.CopyFrom(request)
        else:
            wanted.message.CopyFrom(request)
        return await self._caller.call(self._connections.Forward, wanted, TOOL_DEADLINE_S)

    async def authorize_connection(
        self, workspace_id: str, name: str, redirect_uri: str
    ) -> messages.AuthorizeConnectionResponse:
        """Begin to authorize a connection: its page, and the state that the redirect brings."""
        request = messages.AuthorizeConnectionRequest(
            workspace_id=workspace_id, name=name, redirect_uri=redirect_uri
        )
        return await self._caller.call(self._connections.AuthorizeConnection, request)

    async def complete_authorization(
        self, workspace_id: str, name: str, redirect: Mapping[str, str]
    ) -> Connection:
        """End what the same user began, with the parameters of the ``redirect``."""
        request = messages.CompleteAuthorizationRequest(
            workspace_id=workspace_id,
            name=name,
            state=redirect.get("state", ""),
            code=redirect.get("code", ""),
            issuer=redirect.get("iss", ""),
            error=redirect.get("error", ""),
        )
        done = await self._caller.call(self._connections.CompleteAuthorization, request)
        return done.connection
