"""Connections, each kind of which is one line here, and the consents to them."""

from typing import TypeAlias

from antiphon.events.v1.event_service_pb2_grpc import EventServiceStub
from antiphon.memory.v1.search_service_pb2_grpc import SearchServiceStub
from antiphon.memory.v1.whiteboard_service_pb2_grpc import WhiteboardServiceStub
from antiphon_server.integration.breakers.switches import Switches
from antiphon_server.integration.compose.settings import ProcessSettings
from antiphon_server.integration.connection_encoding import connection_status
from antiphon_server.integration.connections.adapters.announcements import Announcements
from antiphon_server.integration.connections.adapters.grants import SealedGrants
from antiphon_server.integration.connections.adapters.grpc_calls.kind import GrpcServers
from antiphon_server.integration.connections.adapters.mcp_kinds import McpPrograms, McpServers
from antiphon_server.integration.connections.adapters.newer_kind import NewerKind
from antiphon_server.integration.connections.adapters.rest_kind import RestServices
from antiphon_server.integration.connections.adapters.signing import OperatorSecrets
from antiphon_server.integration.connections.adapters.sql import SqlConnections
from antiphon_server.integration.connections.adapters.sql_egress import SqlEgressRules
from antiphon_server.integration.connections.adapters.web_socket_kind import WebSockets
from antiphon_server.integration.connections.authorization import Authorizations
from antiphon_server.integration.connections.connections import Connections
from antiphon_server.integration.connections.mcp.ports import Sampling
from antiphon_server.integration.connections.model import (
    Connection,
    Grpc,
    Mcp,
    McpProgram,
    Newer,
    OpenApi,
    ProgramId,
    Status,
    WebSocket,
)
from antiphon_server.integration.secrets.adapters.kept import SqlKeptSecrets
from antiphon_server.integration.secrets.model import SecretName
from antiphon_server.integration.tools.adapters.builtin import BuiltIn
from antiphon_server.integration.tools.adapters.searches import ServedSearches
from antiphon_server.integration.tools.adapters.sql_results import SqlResultStore
from antiphon_server.integration.tools.adapters.whiteboards import ServedWhiteboards
from antiphon_server.runtime.composition.links import Links
from antiphon_server.runtime.storage.database import Database

Made: TypeAlias = tuple[Connections, Authorizations | None]
"""Connections, and people's consents to them; None where nobody is asked."""


def compose_connections(
    settings: ProcessSettings,
    database: Database,
    stored: SqlKeptSecrets,
    links: Links,
    sampling: Sampling,
    switches: Switches,
) -> Made:
    """The tools of the product itself, the installation's connections, and those of workspaces."""
    given, policy = settings.connections, settings.egress()
    results = SqlResultStore(database, settings.kept_result_bytes)
    own = {SecretName(it.name): it.token for it in given if it.token}
    signed_by, grants = OperatorSecrets(own, stored), SealedGrants(stored)
    programs = {ProgramId(name): it for name, it in settings.programs.items()}
    whiteboards = ServedWhiteboards(WhiteboardServiceStub(links.internal))
    store, servers = (
        SqlConnections(database),
        McpServers(policy, signed_by, sampling, grants, settings.oauth_client_url),
    )
    connections = Connections(
        store,
        {
            Mcp: servers,
            McpProgram: McpPrograms(programs, settings.max_programs, sampling),
            OpenApi: RestServices(policy, signed_by, store),
            WebSocket: WebSockets(policy, signed_by),
            Grpc: GrpcServers(policy, signed_by, store),
            Newer: NewerKind(),
        },
        Announcements(EventServiceStub(links.internal), connection_status),
        SqlEgressRules(database),
        [it.connection for it in given],
        [BuiltIn(ServedSearches(SearchServiceStub(links.internal)), results, whiteboards)],
        grants.forget,
        switches,
        {it.name for it in given if it.private},
    )
    return connections, Authorizations(connections, servers, grants)


def no_connections(database: Database) -> Connections:
    """Those of nothing: no kind, and nobody who is told."""
    return Connections(SqlConnections(database), {}, _nobody, SqlEgressRules(database))


async def _nobody(connection: Connection, status: Status | None) -> None:
    """Nobody is told."""
