"""The client: one channel, one session, and what can be done with them."""

from collections.abc import Callable, Iterable
from types import TracebackType
from typing import Self

import grpc

from antiphon.auth.v1.access_service_pb2_grpc import AccessServiceStub
from antiphon.auth.v1.audit_service_pb2_grpc import AuditServiceStub
from antiphon.auth.v1.auth_service_pb2_grpc import AuthServiceStub
from antiphon.auth.v1.profile_service_pb2_grpc import ProfileServiceStub
from antiphon.context.v1.anomaly_service_pb2_grpc import AnomalyServiceStub
from antiphon.context.v1.context_service_pb2_grpc import ContextServiceStub
from antiphon.context.v1.erasure_service_pb2_grpc import ErasureServiceStub
from antiphon.context.v1.filter_service_pb2_grpc import FilterServiceStub
from antiphon.context.v1.notice_service_pb2_grpc import NoticeServiceStub
from antiphon.dispatcher.v1.dispatcher_service_pb2 import ConverseRequest
from antiphon.dispatcher.v1.dispatcher_service_pb2_grpc import DispatcherServiceStub
from antiphon.dispatcher.v1.handoff_service_pb2_grpc import HandoffServiceStub
from antiphon.dispatcher.v1.route_service_pb2_grpc import RouteServiceStub
from antiphon.dispatcher.v1.schedule_service_pb2_grpc import ScheduleServiceStub
from antiphon.dispatcher.v1.webhook_service_pb2_grpc import WebhookServiceStub
from antiphon.dispatcher.v1.worker_service_pb2_grpc import WorkerServiceStub
from antiphon.events.v1.event_pb2 import Event, EventKind
from antiphon.events.v1.event_service_pb2 import SubscribeRequest
from antiphon.events.v1.event_service_pb2_grpc import EventServiceStub
from antiphon.events.v1.stream_pb2 import RefreshToken
from antiphon.integration.v1.budget_service_pb2_grpc import BudgetServiceStub
from antiphon.integration.v1.connection_service_pb2 import (
    OpenRelayRequest,
    RefreshRelayToken,
    RelayRequest,
)
from antiphon.integration.v1.connection_service_pb2_grpc import ConnectionServiceStub
from antiphon.integration.v1.integration_service_pb2_grpc import IntegrationServiceStub
from antiphon.integration.v1.secret_service_pb2_grpc import SecretServiceStub
from antiphon.integration.v1.tool_service_pb2_grpc import ToolServiceStub
from antiphon.memory.v1.assembly_service_pb2_grpc import AssemblyServiceStub
from antiphon.memory.v1.entity_service_pb2_grpc import EntityServiceStub
from antiphon.memory.v1.memory_service_pb2_grpc import MemoryServiceStub
from antiphon.memory.v1.pruning_service_pb2_grpc import PruningServiceStub
from antiphon.memory.v1.search_service_pb2_grpc import SearchServiceStub
from antiphon.memory.v1.summary_service_pb2_grpc import SummaryServiceStub
from antiphon.memory.v1.whiteboard_service_pb2_grpc import WhiteboardServiceStub
from antiphon_client.accesses import Accesses
from antiphon_client.accounts import Accounts
from antiphon_client.address import DEFAULT_ADDRESS, open_channel
from antiphon_client.anomalies import Anomalies
from antiphon_client.assembly import Assembly
from antiphon_client.audit import Audit
from antiphon_client.budgets import Budgets
from antiphon_client.caller import DEADLINE_S, PATIENCE_S, Caller
from antiphon_client.connections import Connections
from antiphon_client.contracts import SERVICES
from antiphon_client.conversations import Conversations
from antiphon_client.converse import ConverseWire, LiveConversation
from antiphon_client.credentials import Credentials
from antiphon_client.entities import Entities
from antiphon_client.erasures import Erasures
from antiphon_client.filters import Filters
from antiphon_client.follow import Follow, HistoryLostPolicy, SubscribeWire
from antiphon_client.handoffs import Handoffs
from antiphon_client.health import health_of
from antiphon_client.logs import Logs
from antiphon_client.members import Members
from antiphon_client.memories import Memories
from antiphon_client.models import Models
from antiphon_client.notices import Notices
from antiphon_client.place import Place
from antiphon_client.profiles import Profiles
from antiphon_client.pruning import Pruning
from antiphon_client.redial import Connection, Redial, ignore_connection
from antiphon_client.relay import LONGEST_S, LiveRelay, RelayWire
from antiphon_client.routes import Routes
from antiphon_client.schedules import Schedules
from antiphon_client.search import Search
from antiphon_client.secrets import Secrets
from antiphon_client.tls import Tls
from antiphon_client.token_exchange import TokenExchange
from antiphon_client.token_store import MemoryTokenStore, TokenStore
from antiphon_client.tokens import TokenSource
from antiphon_client.tools import Tools
from antiphon_client.turns import Turns
from antiphon_client.users import Users
from antiphon_client.webhooks import Webhooks
from antiphon_client.whiteboards import Whiteboards
from antiphon_client.wire import SILENCE_S, Wire
from antiphon_client.workers import Workers
from antiphon_client.workspaces import Workspaces


class Client(
    Accesses,
    Accounts,
    Users,
    Audit,
    Erasures,
    Profiles,
    Workspaces,
    Conversations,
    Members,
    Notices,
    Turns,
    Workers,
    Filters,
    Anomalies,
    Routes,
    Schedules,
    Handoffs,
    Webhooks,
    Models,
    Tools,
    Connections,
    Secrets,
    Budgets,
    Search,
    Assembly,
    Memories,
    Entities,
    Pruning,
    Whiteboards,
    Logs,
):
    """A connection to an Antiphon server: an async context manager made by :meth:`connect`.

    Its calls have a deadline and are repeated where that is safe; :meth:`converse` and
    :meth:`follow` are streams that outlive broken connections.
    """

    def __init__(
        self,
        channel: grpc.aio.Channel,
        tokens: TokenSource,
        *,
        deadline: float,
        silence: float,
        give_up_after: float,
        on_connection: Callable[[Connection], None],
        patience: float = 0.0,
    ) -> None:
        self.channel = channel
        self.tokens = tokens
        self._caller = Caller(tokens, deadline, patience)
        self._access = AccessServiceStub(channel)
        self._auth = AuthServiceStub(channel)
        self._profiles = ProfileServiceStub(channel)
        self._audit = AuditServiceStub(channel)
        self._context = ContextServiceStub(channel)
        self._notices = NoticeServiceStub(channel)
        self._erasures = ErasureServiceStub(channel)
        self._filters = FilterServiceStub(channel)
        self._anomalies = AnomalyServiceStub(channel)
        self._dispatcher = DispatcherServiceStub(channel)
        self._workers = WorkerServiceStub(channel)
        self._routes = RouteServiceStub(channel)
        self._schedules = ScheduleServiceStub(channel)
        self._handoffs = HandoffServiceStub(channel)
        self._webhooks = WebhookServiceStub(channel)
        self._events = EventServiceStub(channel)
        self._integration = IntegrationServiceStub(channel)
        self._tools = ToolServiceStub(channel)
        self._connections = ConnectionServiceStub(channel)
        self._secrets = SecretServiceStub(channel)
        self._budgets = BudgetServiceStub(channel)
        self._search = SearchServiceStub(channel)
        self._assembly = AssemblyServiceStub(channel)
        self._memories = MemoryServiceStub(channel)
        self._entities = EntityServiceStub(channel)
        self._pruning = PruningServiceStub(channel)
        self._whiteboards = WhiteboardServiceStub(channel)
        self._summaries = SummaryServiceStub(channel)
        self._silence = silence
        self._give_up_after = give_up_after
        self._on_connection = on_connection

    @classmethod
    def connect(
        cls,
        address: str = DEFAULT_ADDRESS,
        credentials: Credentials | None = None,
        *,
        store: TokenStore | None = None,
        tls: Tls | None = None,
        device: str = "antiphon_client",
        deadline: float = DEADLINE_S,
        silence: float = SILENCE_S,
        give_up_after: float = 300.0,
        patient: bool = True,
        on_connection: Callable[[Connection], None] = ignore_connection,
    ) -> Self:
        """A client for ``host:port``, or ``https://host:port`` for TLS. Nothing is sent yet.

        ``tls`` says whom to trust where that is not the public authorities.
        Without ``credentials`` the tokens in ``store`` are used. ``deadline`` is for unary
        calls but those of tools, which the server ends; ``silence`` for how long a stream may say
        nothing before it is opened again, ``give_up_after`` for how long a stream tries to; all in
        seconds. Calls that may be made twice are, for some 10 s if ``patient`` and else for less
        than one, while the server is away. ``on_connection`` is told how streams' connections are;
        of a conversation in which somebody waits for an answer also within 2 s that its server
        says nothing.
        """
        channel = open_channel(address, tls, patient=patient)
        exchange = TokenExchange(channel, device)
        return cls(
            channel,
            TokenSource(exchange, credentials, store or MemoryTokenStore()),
            deadline=deadline,
            silence=silence,
            give_up_after=give_up_after,
            on_connection=on_connection,
            patience=PATIENCE_S if patient else 0.0,
        )

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self.close()

    async def close(self) -> None:
        """End open streams and the channel."""
        await self.tokens.close()
        await self.channel.close()

    def follow(
        self,
        scope: str,
        *,
        cursor: str = "",
        offset: int | None = None,
        earliest: bool = False,
        kinds: Iterable[EventKind.ValueType] = (),
        ephemeral: bool = False,
        max_batch_events: int = 0,
        on_history_lost: HistoryLostPolicy | None = None,
    ) -> Follow:
        """Every event of a scope, once and in order.

        From right after ``cursor``; without one from now on, or from the earliest there is.
        ``offset`` is the last place seen, if known: a gap right after it is noticed too.
        """
        place = Place(
            scope,
            cursor,
            offset=offset,
            earliest=earliest,
            kinds=kinds,
            ephemeral=ephemeral,
            max_batch_events=max_batch_events,
        )
        return Follow(self._subscribe, self._redial(), place, on_history_lost)

    def converse(
        self,
        conversation_id: str,
        *,
        cursor: str = "",
        on_event: Callable[[Event], None] | None = None,
    ) -> LiveConversation:
        """A conversation to post to and read answers from; use it with ``async with``.

        ``on_event`` is told every event of the conversation from ``cursor`` (or now) on.
        """
        place = Place(f"conversations/{conversation_id}", cursor, ephemeral=on_event is not None)
        redial = self._redial()
        return LiveConversation(
            conversation_id, self._converse, redial, place, on_event, self._silence
        )

    def relay(self, workspace_id: str, name: str, *, time_limit: float = 0.0) -> LiveRelay:
        """A WebSocket of the connection of that name, signed by it; use it with ``async with``.

        It ends after ``time_limit`` seconds at the latest, of which 0 is an hour.
        """
        request = OpenRelayRequest(workspace_id=workspace_id, name=name)
        if time_limit:
            request.time_limit.FromMilliseconds(round(time_limit * 1000))
        return LiveRelay(request, self._relay)

    async def health(self, parts: Iterable[str] = ()) -> dict[str, bool]:
        """Whether each service and internal part serves, by grpc.health.v1; "" is the whole.

        ``parts`` are asked for besides the services; what the server does not have is left out.
        """
        return await health_of(self.channel, (*SERVICES, *parts))

    def _redial(self) -> Redial:
        return Redial(self.tokens, self._give_up_after, self._on_connection)

    def _subscribe(self) -> SubscribeWire:
        return Wire(self._events.Subscribe, self.tokens, _refresh_subscribe, self._silence)

    def _converse(self) -> ConverseWire:
        return Wire(self._dispatcher.Converse, self.tokens, _refresh_converse, self._silence)

    def _relay(self) -> RelayWire:
        tokens, silence = self.tokens, self._silence
        return Wire(self._connections.Relay, tokens, _refresh_relay, silence, LONGEST_S)


def _refresh_subscribe(token: str) -> SubscribeRequest:
    return SubscribeRequest(refresh=RefreshToken(access_token=token))


def _refresh_converse(token: str) -> ConverseRequest:
    return ConverseRequest(refresh=RefreshToken(access_token=token))


def _refresh_relay(token: str) -> RelayRequest:
    return RelayRequest(refresh=RefreshRelayToken(access_token=token))
