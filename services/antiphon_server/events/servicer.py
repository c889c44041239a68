"""EventService: the contract's messages <-> the log.

Streams are coroutines that write, not generators (a cancelled generator may never be
closed, grpc/grpc#42295), and hot answers are bytes; the stubs' types know neither.
"""

from typing import Any, TypeAlias

import grpc

from antiphon.events.v1 import event_pb2
from antiphon.events.v1 import event_service_pb2 as pb
from antiphon.events.v1.event_service_pb2_grpc import EventServiceServicer
from antiphon_server.events import wire
from antiphon_server.events.actions import Action, Create, End, act, adoption
from antiphon_server.events.encoding import FrameEncoder, action_of, new_event, watch_request
from antiphon_server.events.erasing import Erasing, Erasure
from antiphon_server.events.follows import Follows
from antiphon_server.events.log import EventLog
from antiphon_server.events.model import Cursor, Fence, Offset, Scope
from antiphon_server.events.settings_erasing import SettingsErasing
from antiphon_server.events.subscription import Subscription
from antiphon_server.events.subscriptions import Subscriptions
from antiphon_server.runtime.access.principal import current_principal
from antiphon_server.runtime.encoding.titles import Beginning
from antiphon_server.runtime.errors import DomainError, Reason, invalid
from antiphon_server.runtime.rpc.duplex import open_stream, serve_duplex
from antiphon_server.runtime.rpc.paging import page_limit
from antiphon_server.runtime.rpc.slow_readers import WRITE_TIMEOUT_S, TimedWriter
from antiphon_server.runtime.rpc.times import timestamp

MAX_APPEND_BYTES = 1088 << 10

Context: TypeAlias = "grpc.aio.ServicerContext[Any, Any]"


class EventServicer(EventServiceServicer):
    """Serves the log."""

    def __init__(
        self,
        log: EventLog,
        subscriptions: Subscriptions,
        follows: Follows | None = None,
        read_within_s: float = WRITE_TIMEOUT_S,
        erasing: Erasing | None = None,
        settings: SettingsErasing | None = None,
    ) -> None:
        self._log = log
        self._erasing = erasing
        self._settings = settings
        self._subscriptions = subscriptions
        self._follows = follows or Follows(subscriptions, log)
        self._encoder = FrameEncoder()
        self._read_within_s = read_within_s

    async def Subscribe(  # type: ignore[override]
        self, request_iterator: object, context: Context
    ) -> None:
        # Before it opens, which takes until the client reads: its session may end meanwhile.
        with self._subscriptions.open(self._log, current_principal()) as subscription:
            await open_stream(context)
            await serve_duplex(
                self._obey_all(subscription, context), self._deliver(subscription, context)
            )

    async def Follow(  # type: ignore[override]
        self, request: pb.FollowRequest, context: Context
    ) -> None:
        with self._subscriptions.open(  # before it opens, as above
            self._log,
            current_principal(),
            request.follow_id,
            ends_when_empty=not request.follow_id,  # nobody could add a watch
        ) as subscription:
            await open_stream(context)
            for watch in request.watches:
                await act(subscription, Create(watch_request(watch)))
            await self._deliver(subscription, context)

    async def _obey_all(self, subscription: Subscription, context: Context) -> None:
        while True:
            request = await context.read()
            if request is grpc.aio.EOF:
                return
            await act(subscription, await self._action(request))

    async def _action(self, request: pb.SubscribeRequest) -> Action:
        """What a client asks; its new token is verified where it arrives, and goes no further."""
        if request.HasField("refresh"):
            token = request.refresh.access_token
            return adoption(await self._subscriptions.verified(current_principal(), token))
        return action_of(request)

    async def _deliver(self, subscription: Subscription, context: Context) -> None:
        encode = self._encoder.encode
        with TimedWriter(context, self._read_within_s) as writer:
            async for frame in subscription.frames():
                await writer.write(encode(frame))

    async def UpdateFollow(
        self, request: pb.UpdateFollowRequest, context: Context
    ) -> pb.UpdateFollowResponse:
        actions = [await self._action(action) for action in request.actions]
        await self._follows.ask(current_principal(), request.follow_id, actions)
        return pb.UpdateFollowResponse()

    async def CancelFollow(
        self, request: pb.CancelFollowRequest, context: Context
    ) -> pb.CancelFollowResponse:
        await self._follows.ask(current_principal(), request.follow_id, [End()])
        return pb.CancelFollowResponse()

    async def ReadEvents(  # type: ignore[override]
        self, request: pb.ReadEventsRequest, context: Context
    ) -> bytes:
        scope = Scope(request.scope)
        after = await self._log.position(scope, request.cursor)
        limit = page_limit(request.page_size, default=100, most=1000)
        page = await self._log.read(scope, after, limit, frozenset(request.kinds))
        hub = await self._log.hub(scope)
        cursor = Cursor(hub.epoch, page.position).encode(scope)
        return wire.page(page.records, cursor, page.at_head)

    async def GetHead(self, request: pb.GetHeadRequest, context: Context) -> pb.GetHeadResponse:
        scope = Scope(request.scope)
        head = await self._log.head(scope)
        earliest = Cursor(head.epoch, Offset(head.earliest - 1))
        return pb.GetHeadResponse(
            last_offset=head.last,
            earliest_offset=head.earliest,
            cursor=Cursor(head.epoch, head.last).encode(scope),
            earliest_cursor=earliest.encode(scope),
        )

    async def FindNews(self, request: pb.FindNewsRequest, context: Context) -> pb.FindNewsResponse:
        places = {Scope(place.scope): place.cursor for place in request.places}
        return pb.FindNewsResponse(scopes=await self._log.moved_from(places))

    async def PublishEphemeral(
        self, request: pb.PublishEphemeralRequest, context: Context
    ) -> pb.PublishEphemeralResponse:
        event = event_pb2.Event(
            scope=request.scope, actor=current_principal().actor, ephemeral=True
        )
        event.time.GetCurrentTime()
        match request.WhichOneof("payload"):
            case "typing":
                event.typing_changed.CopyFrom(request.typing)
            case "presence":
                event.presence_changed.CopyFrom(request.presence)
            case None:
                raise DomainError(Reason.UNIMPLEMENTED)
        self._log.send_ephemeral(Scope(request.scope), event.SerializeToString())
        return pb.PublishEphemeralResponse()

    async def Append(self, request: pb.AppendRequest, context: Context) -> pb.AppendResponse:
        scope = Scope(request.scope)
        events = [new_event(scope, event) for event in request.events]
        if sum(len(event.body) for event in events) > MAX_APPEND_BYTES:
            raise invalid("events", "at most 1,088 KiB in all")
        if not events and not request.HasField("fence"):
            raise invalid("events", "at least one, unless there is a fence")
        if request.unless_watched and self._sees(request.scope, request.unless_watched):
            return pb.AppendResponse(watched=True)
        fence = request.fence
        place = await self._log.append(
            scope,
            events,
            request.request_id,
            Fence(fence.key, fence.token) if request.HasField("fence") else None,
            request.fold_turn_id,
            stops=any(map(_stops, request.events)),
        )
        return pb.AppendResponse(
            first_offset=place.first,
            last_offset=place.last,
            cursor=Cursor(place.epoch, place.last).encode(scope),
            duplicate=place.duplicate,
            folded=place.folded,
            previous_cursor=Cursor(place.epoch, Offset(place.first - 1)).encode(scope),
            time=timestamp(place.time_us),
            seen=bool(request.seen_by) and self._sees(request.seen_by, scope),
        )

    def _sees(self, user: str, scope: str) -> bool:
        """Whether a stream of the user's here watches the scope."""
        user_id, kind = user.removeprefix("users/"), event_pb2.EVENT_KIND_TURN_FINISHED
        return self._log.watched_by(user_id, Scope(scope), kind)

    async def Fold(self, request: pb.FoldRequest, context: Context) -> pb.FoldResponse:
        return pb.FoldResponse(removed=await self._log.fold(Scope(request.scope), request.turn_id))

    async def Redact(self, request: pb.RedactRequest, context: Context) -> pb.RedactResponse:
        if self._erasing is None:
            raise DomainError(Reason.UNIMPLEMENTED)
        messages = {it.message_id: Offset(it.offset) for it in request.messages}
        scope, turn_ids = Scope(request.scope), list(request.turn_ids)
        erased = await self._erasing.erase(
            Erasure(
                *(scope, messages, turn_ids, request.actor, request.request_id),
                [Beginning(it.author, it.text) for it in request.beginnings],
                validate_only=request.validate_only,
            )
        )
        return pb.RedactResponse(
            message_ids=erased.message_ids,
            turn_ids=erased.turn_ids,
            tool_call_ids=erased.tool_call_ids,
        )

    async def RedactSettings(
        self, request: pb.RedactSettingsRequest, context: Context
    ) -> pb.RedactSettingsResponse:
        if self._settings is None:
            raise DomainError(Reason.UNIMPLEMENTED)
        if bool(request.conversation_id) is bool(request.workspace_id):
            raise invalid("conversation_id", "or workspace_id: one of the two")
        kind = "conversations" if request.conversation_id else "workspaces"
        own = Scope(f"{kind}/{request.conversation_id or request.workspace_id}")
        await self._settings.erase(own, request.actor)
        return pb.RedactSettingsResponse()

    async def Trim(self, request: pb.TrimRequest, context: Context) -> pb.TrimResponse:
        earliest = await self._log.trim(Scope(request.scope), Offset(request.before_offset))
        return pb.TrimResponse(earliest_offset=earliest)


def _stops(event: event_pb2.Event) -> bool:
    """Whether it says that somebody has stopped a turn."""
    return event.turn_finished.state == event_pb2.TURN_STATE_CANCELLED
