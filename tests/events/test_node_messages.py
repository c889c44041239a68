"""What nodes have to tell each other arrives in time, with Redis and without."""

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator, Mapping, Sequence
from itertools import pairwise
from pathlib import Path

import grpc
import pytest

from antiphon.events.v1 import event_service_pb2 as pb
from antiphon.events.v1 import stream_pb2 as stream
from antiphon.events.v1.event_pb2 import Event, MemberRemoved, SessionRevoked, TypingChanged
from antiphon_server.events.adapters.silent_bus import SilentBus
from antiphon_server.events.adapters.sql import SqlLogStore
from antiphon_server.events.log import EventLog
from antiphon_server.events.model import NODES, Commit, Offset, Record, Scope
from antiphon_server.events.node_message_reader import NodeMessageReader
from antiphon_server.events.node_messages import (
    AccessChanged,
    NodeMessage,
    events_of,
    node_message_of,
)
from antiphon_server.runtime.access.permissions import Role
from antiphon_server.runtime.process.lifecycle import Lifecycle
from antiphon_server.runtime.storage.database import Database
from tests.e2e.until import SOON_S, until
from tests.events.bus import Exchange, LocalBus
from tests.events.servers import Server, server
from tests.events.world import ANNA, OTHER, SCOPE
from tests.fakes.valkey import Valkey

WORKSPACE = "workspaces/ws_00000001"
WITHIN_S = 1.0
LOOKS = 4
Roles = dict[str, Role]


@pytest.fixture
def roles() -> Roles:
    """Anna's at the moment."""
    return {SCOPE: Role.OWNER, OTHER: Role.OWNER}


@pytest.fixture(params=["silent", "redis"])
async def pair(
    request: pytest.FixtureRequest, tmp_path: Path, roles: Roles
) -> AsyncIterator[list[Server]]:
    """Two nodes."""
    async with contextlib.AsyncExitStack() as stack:
        url = ""
        if request.param == "redis":
            url = (await stack.enter_async_context(Valkey())).url
        pair = [await stack.enter_async_context(server(tmp_path, roles, url)) for _ in range(2)]
        if url:
            await asyncio.gather(*(hearing(it) for it in pair))
        yield pair


async def hearing(where: Server) -> None:
    """Return when the node hears the bus, and all who are on it."""
    peer_commits = where.events.log.peer_commits
    assert peer_commits is not None
    await until(lambda: peer_commits.connected, SOON_S)


async def followed(
    where: Server, follow_id: str = "", *, ephemeral: bool = False
) -> AsyncIterator[pb.FollowResponse]:
    """The frames of an open stream."""
    watch = stream.Watch(watch_id="w", scope=SCOPE, ephemeral=ephemeral)
    call = where.stub.Follow(pb.FollowRequest(follow_id=follow_id, watches=[watch]), timeout=SOON_S)
    frames: AsyncIterator[pb.FollowResponse] = aiter(call)
    assert (await anext(frames)).HasField("created")
    return frames


async def appended(where: Server, scope: str, event: Event) -> float:
    """When the append was answered."""
    await where.stub.Append(pb.AppendRequest(scope=scope, events=[event]), timeout=SOON_S)
    return time.monotonic()


async def ended(frames: AsyncIterator[pb.FollowResponse]) -> stream.WatchEnded:
    """How the next watch ends."""
    async for frame in frames:
        if frame.HasField("ended"):
            return frame.ended
    raise AssertionError("the stream ended without a word")


async def test_access_that_is_taken_away_elsewhere_ends_the_watch(
    pair: list[Server], roles: Roles
) -> None:
    """Within a second, though nobody here follows the scope in which it was said."""
    here, there = pair
    frames = await followed(there)
    del roles[SCOPE]
    removed = Event(member_removed=MemberRemoved(resource="ws_00000001", user_id=ANNA.user_id))
    began = await appended(here, WORKSPACE, removed)
    assert (await ended(frames)).reason == stream.CLOSE_REASON_ACCESS_REMOVED
    assert time.monotonic() - began < WITHIN_S


async def test_a_session_that_ends_elsewhere_ends_the_stream(pair: list[Server]) -> None:
    """Within a second."""
    here, there = pair
    frames = await followed(there)
    revoked = Event(session_revoked=SessionRevoked(session_id=ANNA.session_id))
    began = await appended(here, f"users/{ANNA.user_id}", revoked)
    assert (await ended(frames)).reason == stream.CLOSE_REASON_SESSION_ENDED
    assert time.monotonic() - began < WITHIN_S


async def test_words_that_nobody_can_tell_any_more_are_noticed(store: SqlLogStore) -> None:
    """A node that was stopped while they were removed learns that it has missed some."""
    here, there = (EventLog(store, bus=SilentBus()) for _ in range(2))
    heard, lost = asyncio.Queue[NodeMessage](), asyncio.Event()
    words = NodeMessageReader(there, heard.put_nowait, lost.set)
    await words.begin()
    async with Lifecycle() as lifecycle:
        lifecycle.spawn("log", here.run())
        lifecycle.spawn("words", words.run())
        await here.append(NODES, events_of([AccessChanged(ANNA.user_id)] * 3))
        await here.trim(NODES, Offset(4))
        assert there.peer_commits is not None
        await there.peer_commits.look([NODES])
        async with asyncio.timeout(SOON_S):
            await lost.wait()
        assert heard.empty()
        await here.append(NODES, events_of([AccessChanged(ANNA.user_id)]))
        await there.peer_commits.look([NODES])
        async with asyncio.timeout(SOON_S):
            assert isinstance(await heard.get(), AccessChanged)


async def test_words_are_taken_from_the_store_alone(store: SqlLogStore) -> None:
    """Whatever the bus brings: it can neither say one nor keep one back."""
    exchange = Exchange()
    here, there = (EventLog(store, bus=LocalBus(exchange)) for _ in range(2))
    heard = asyncio.Queue[NodeMessage]()
    words = NodeMessageReader(there, heard.put_nowait, lambda: None)
    await words.begin()
    async with Lifecycle() as lifecycle:
        assert there.peer_commits is not None
        for task in (here.run(), there.peer_commits.run(), words.run()):
            lifecycle.spawn("node", task)
        epoch = (await store.head(NODES)).epoch
        lie = Record(Offset(1), Offset(1), 0, b'{"type":"changed","user_id":"somebody"}\n')
        there.peer_commits.on_commit(Commit(NODES, epoch, Offset(1), [lie]))
        await here.append(NODES, events_of([AccessChanged(ANNA.user_id)]))
        async with asyncio.timeout(SOON_S):
            assert await heard.get() == AccessChanged(ANNA.user_id)
        assert heard.empty()


class Timing(SqlLogStore):
    """A store that notes when it was asked for news."""

    def __init__(self, database: Database) -> None:
        super().__init__(database)
        self.asked_at: list[float] = []

    async def commits_after(
        self, after: Mapping[Scope, Offset], max_events: int
    ) -> Sequence[Commit]:
        """See :meth:`LogStore.commits_after`."""
        self.asked_at.append(time.monotonic())
        return await super().commits_after(after, max_events)


async def test_a_node_at_rest_that_hears_the_others_asks_seldom(database: Database) -> None:
    """But often enough: a word that was never said on the bus is heard within a second.

    Half of it goes by between looks; what is left is for those who read it and act.
    """
    store = Timing(database)
    node, silent = (EventLog(store, bus=bus) for bus in (LocalBus(Exchange()), SilentBus()))
    heard = asyncio.Queue[NodeMessage]()
    words = NodeMessageReader(node, heard.put_nowait, lambda: None)
    await words.begin()
    async with Lifecycle() as lifecycle:
        assert node.peer_commits is not None
        for task in (node.peer_commits.run(), words.run(), silent.run()):
            lifecycle.spawn("node", task)
        await until(lambda: len(store.asked_at) > LOOKS)
        between = [after - before for before, after in pairwise(store.asked_at)]
        assert 0.4 < min(between[1:]) < 0.7  # the first look is at once; any may be late
        await silent.append(NODES, events_of([AccessChanged(ANNA.user_id)]))
        async with asyncio.timeout(WITHIN_S):
            assert await heard.get() == AccessChanged(ANNA.user_id)


@pytest.mark.parametrize(
    "line", [b"", b"no JSON", b"{}", b'{"type":"changed","user_id":1}', b"\xff"]
)
def test_what_is_no_word_is_passed_over(line: bytes) -> None:
    """No line in the log ends those who read it."""
    assert node_message_of(Record(Offset(1), Offset(1), 0, line + b"\n")) is None


async def test_a_follow_is_changed_by_a_call_to_any_node(pair: list[Server]) -> None:
    """Watches come and go, a new token counts, and the stream ends as if called here."""
    here, there = pair
    frames = await followed(there, "mine")
    actions = [
        pb.SubscribeRequest(create=stream.Watch(watch_id="second", scope=OTHER)),
        pb.SubscribeRequest(cancel=stream.CancelWatch(watch_id="w")),
        pb.SubscribeRequest(progress=stream.RequestProgress()),
        pb.SubscribeRequest(refresh=stream.RefreshToken(access_token="sess_2")),
    ]
    request = pb.UpdateFollowRequest(follow_id="mine", actions=actions)
    began = time.monotonic()
    await here.stub.UpdateFollow(request, timeout=SOON_S)
    assert time.monotonic() - began < WITHIN_S
    assert (await anext(frames)).created.watch_id == "second"
    assert (await anext(frames)).ended.watch_id == "w"
    assert len((await anext(frames)).progress.watches) == 1
    cancel = pb.CancelFollowRequest(follow_id="mine")
    await here.as_session("sess_2").CancelFollow(cancel, timeout=SOON_S)
    assert (await ended(frames)).reason == stream.CLOSE_REASON_CANCELLED


async def test_a_follow_that_no_node_has_is_not_found(pair: list[Server]) -> None:
    """Nor is another session's, whichever node it is on."""
    here, there = pair
    await followed(there, "mine")
    for stub, name in ((here.stub, "another"), (here.as_session("sess_2"), "mine")):
        with pytest.raises(grpc.aio.AioRpcError) as refused:
            await stub.CancelFollow(pb.CancelFollowRequest(follow_id=name), timeout=SOON_S)
        assert refused.value.code() is grpc.StatusCode.NOT_FOUND


@pytest.mark.parametrize("pair", ["redis"], indirect=True)
async def test_ephemeral_events_reach_other_nodes(pair: list[Server]) -> None:
    """While Redis is there."""
    here, there = pair
    frames = await followed(there, ephemeral=True)
    await here.stub.PublishEphemeral(
        pb.PublishEphemeralRequest(scope=SCOPE, typing=TypingChanged(typing=True)),
        timeout=SOON_S,
    )
    [event] = (await anext(frames)).batch.events
    assert event.ephemeral
    assert event.typing_changed.typing
