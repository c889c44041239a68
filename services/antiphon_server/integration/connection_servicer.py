"""ConnectionService: the contract's messages <-> the rules."""

from typing import Any, TypeAlias

import grpc

from antiphon.integration.v1 import connection_pb2, model_pb2
from antiphon.integration.v1 import connection_service_pb2 as pb
from antiphon.integration.v1.connection_service_pb2_grpc import ConnectionServiceServicer
from antiphon_server.integration import connection_encoding as encoding
from antiphon_server.integration import forward_encoding
from antiphon_server.integration.breakers.switches import Switches
from antiphon_server.integration.connections.authorization import Authorizations, Returned
from antiphon_server.integration.connections.connections import Connections
from antiphon_server.integration.connections.forwarding import Forwarding
from antiphon_server.integration.connections.supervision import Supervised
from antiphon_server.integration.relaying import Relaying
from antiphon_server.integration.tools.model import SourceName
from antiphon_server.integration.trail.relay import TrailRelay
from antiphon_server.runtime.access.principal import current_principal
from antiphon_server.runtime.rpc.paging import after_name, page_by_name
from antiphon_server.runtime.rpc.times import timestamp

Context: TypeAlias = "grpc.aio.ServicerContext[Any, Any]"


class ConnectionServicer(ConnectionServiceServicer):
    """Serves connections."""

    def __init__(
        self,
        connections: Connections,
        forwarding: Forwarding,
        authorizations: Authorizations,
        trail: TrailRelay,
        relaying: Relaying,
        switches: Switches,
    ) -> None:
        self._switches = switches
        self._connections, self._forwarding = connections, forwarding
        self._authorizations, self._trail, self._relaying = authorizations, trail, relaying

    async def CreateConnection(
        self, request: pb.CreateConnectionRequest, context: Context
    ) -> pb.CreateConnectionResponse:
        wanted = encoding.decoded(request.connection, request.workspace_id)
        made = await self._connections.create(wanted)
        await self._trail.tell()
        return pb.CreateConnectionResponse(connection=_encoded(made))

    async def GetConnection(
        self, request: pb.GetConnectionRequest, context: Context
    ) -> pb.GetConnectionResponse:
        found = await self._connections.get(request.workspace_id, SourceName(request.name))
        return pb.GetConnectionResponse(connection=_encoded(found))

    async def ListConnections(
        self, request: pb.ListConnectionsRequest, context: Context
    ) -> pb.ListConnectionsResponse:
        listed = f"connections of {request.workspace_id}"
        after = after_name(request.page_token, listed)
        found = await self._connections.listed(request.workspace_id)
        page, next_page = page_by_name(found, _encoded, listed, after, request.page_size)
        return pb.ListConnectionsResponse(connections=page, next_page_token=next_page)

    async def UpdateConnection(
        self, request: pb.UpdateConnectionRequest, context: Context
    ) -> pb.UpdateConnectionResponse:
        fields = encoding.fields_of(request.update_mask)
        wanted = encoding.decoded(request.connection, request.workspace_id)
        changed = await self._connections.update(wanted, fields)
        await self._trail.tell()
        return pb.UpdateConnectionResponse(connection=_encoded(changed))

    async def DeleteConnection(
        self, request: pb.DeleteConnectionRequest, context: Context
    ) -> pb.DeleteConnectionResponse:
        await self._connections.delete(request.workspace_id, SourceName(request.name))
        await self._trail.tell()
        return pb.DeleteConnectionResponse()

    async def TestConnection(
        self, request: pb.TestConnectionRequest, context: Context
    ) -> pb.TestConnectionResponse:
        found = await self._connections.get(request.workspace_id, SourceName(request.name))
        await found.probe()
        return pb.TestConnectionResponse(connection=_encoded(found))

    async def SetConnectionBreaker(
        self, request: pb.SetConnectionBreakerRequest, context: Context
    ) -> pb.SetConnectionBreakerResponse:
        found = await self._connections.get(request.workspace_id, SourceName(request.name))
        is_open = request.breaker == model_pb2.BREAKER_STATE_OPEN
        await self._switches.switch(found.switched_as, open=is_open)
        await self._trail.tell()
        return pb.SetConnectionBreakerResponse(status=encoding.connection_status(found.status))

    async def GetEgressRules(
        self, request: pb.GetEgressRulesRequest, context: Context
    ) -> pb.GetEgressRulesResponse:
        rules = await self._connections.egress(request.workspace_id)
        return pb.GetEgressRulesResponse(rules=encoding.egress_rules(rules))

    async def SetEgressRules(
        self, request: pb.SetEgressRulesRequest, context: Context
    ) -> pb.SetEgressRulesResponse:
        wanted = encoding.decoded_egress(request.rules)
        rules = await self._connections.set_egress(request.workspace_id, wanted)
        await self._trail.tell()
        return pb.SetEgressRulesResponse(rules=encoding.egress_rules(rules))

    async def Forward(self, request: pb.ForwardRequest, context: Context) -> pb.ForwardResponse:
        name, wanted = SourceName(request.name), forward_encoding.forwarded(request)
        answer = await self._forwarding.forward(request.workspace_id, name, wanted)
        return forward_encoding.response(answer)

    async def Relay(  # type: ignore[override]
        self, request_iterator: object, context: Context
    ) -> None:
        await self._relaying.relay(context)

    async def OpenRelay(  # type: ignore[override]
        self, request: pb.OpenRelayRequest, context: Context
    ) -> None:
        await self._relaying.open(request, context)

    async def UpdateRelay(
        self, request: pb.UpdateRelayRequest, context: Context
    ) -> pb.UpdateRelayResponse:
        await self._relaying.update(request, context)
        return pb.UpdateRelayResponse()

    async def CancelRelay(
        self, request: pb.CancelRelayRequest, context: Context
    ) -> pb.CancelRelayResponse:
        await self._relaying.cancel(request, context)
        return pb.CancelRelayResponse()

    async def AuthorizeConnection(
        self, request: pb.AuthorizeConnectionRequest, context: Context
    ) -> pb.AuthorizeConnectionResponse:
        user, name = current_principal().user_id, SourceName(request.name)
        where = (request.workspace_id, name, request.redirect_uri)
        started = await self._authorizations.begin(user, *where)
        return pb.AuthorizeConnectionResponse(
            authorization_url=started.url,
            state=started.state,
            expire_time=timestamp(started.expires_us),
        )

    async def CompleteAuthorization(
        self, request: pb.CompleteAuthorizationRequest, context: Context
    ) -> pb.CompleteAuthorizationResponse:
        user, name = current_principal().user_id, SourceName(request.name)
        returned = Returned(request.state, request.code, request.issuer, request.error)
        done = await self._authorizations.complete(user, request.workspace_id, name, returned)
        await self._trail.authorized(request.workspace_id, name)
        return pb.CompleteAuthorizationResponse(connection=_encoded(done))


def _encoded(it: Supervised) -> connection_pb2.Connection:
    return encoding.connection(it.connection, it.status)
