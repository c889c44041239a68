"""Cursors from long ago, while retention trims the log: always an answer, never a silent skip."""

import asyncio
import itertools
import random
import uuid
from collections.abc import Awaitable, Callable, Mapping

import grpc

from antiphon.events.v1 import event_service_pb2 as pb
from antiphon.events.v1 import stream_pb2
from antiphon.events.v1.event_service_pb2_grpc import EventServiceStub
from antiphon_client import AntiphonError, Client
from antiphon_client.errors import HistoryLost
from antiphon_client.redial import is_resumable
from antiphon_client.status import error_of_rpc, error_of_status
from tests.proofs.robustness.history import Asked, Reader
from tests.proofs.robustness.stage import Scene, Stage

ANSWER_S = 5.0
GAP_S = (0.02, 0.2)
WAYS = ("Subscribe", "Follow", "UpdateFollow", "ReadEvents")
Metadata = tuple[tuple[str, str], ...]


class Returner:
    """Asks again and again for what follows a place of its past, by each way there is.

    Each try is a reader of its own, from after that place: it must get the next event, or be
    told where the log begins now. All ways have their turn, one after the other.
    """

    def __init__(self, stage: Stage, name: str, scene: Scene, client: Client) -> None:
        self._stage = stage
        self._name = name
        self._scene = scene
        self._client = client
        self._places: list[tuple[str, int]] = []
        asked = (self._subscribe, self._follow, self._update, self._read)
        self._ways: Mapping[str, Callable[[Reader, str], Awaitable[None]]] = dict(
            zip(WAYS, asked, strict=True)
        )

    async def run(self, chance: random.Random) -> None:
        """Until cancelled or the stage is stopping."""
        ways = itertools.cycle(chance.sample(WAYS, len(WAYS)))
        for number, way in enumerate(ways, 1):
            if self._stage.stopping.is_set():
                return
            try:
                head = await self._client.get_head(self._scene.scope)
                self._places.append((head.cursor, head.last_offset))
                cursor, offset = chance.choice(self._places[:-1] or self._places)
                reader = Reader(f"{self._name}'s {number}. at {offset} by {way}", offset)
                reader.asked = Asked(way, head.last_offset)
                await self._try(reader, cursor)
            except AntiphonError as error:
                if not is_resumable(error):
                    raise
            await asyncio.sleep(chance.uniform(*GAP_S))

    async def _try(self, reader: Reader, cursor: str) -> None:
        """Ask, and note what came: nothing, if the call broke. Raises AntiphonError."""
        assert reader.asked is not None
        way = reader.asked.way
        try:
            async with asyncio.timeout(ANSWER_S):
                await self._ways[way](reader, cursor)
        except TimeoutError:
            pass  # which is an answer where nothing follows, and only there
        except HistoryLost as lost:
            reader.lost(int(lost.metadata["earliest_offset"]))
        except grpc.aio.AioRpcError as rpc_error:
            raise error_of_rpc(rpc_error) from None
        self._scene.history.readers.append(reader)
        if reader.resets or reader.facts:
            kind = "trimmed cursor" if reader.resets else "old cursor"
            self._stage.counts.update([kind, f"{kind} by {way}"])

    async def _metadata(self) -> Metadata:
        return (("authorization", f"Bearer {await self._client.tokens.get()}"),)

    def _watch(self, cursor: str) -> stream_pb2.Watch:
        return stream_pb2.Watch(watch_id="w", scope=self._scene.scope, cursor=cursor)

    async def _subscribe(self, reader: Reader, cursor: str) -> None:
        stub = EventServiceStub(self._client.channel)
        call = stub.Subscribe(metadata=await self._metadata(), timeout=2 * ANSWER_S)
        try:
            await call.write(pb.SubscribeRequest(create=self._watch(cursor)))
            await _first_answer(call.read, reader)
        finally:
            call.cancel()

    async def _follow(self, reader: Reader, cursor: str) -> None:
        stub = EventServiceStub(self._client.channel)
        request = pb.FollowRequest(watches=[self._watch(cursor)])
        call = stub.Follow(request, metadata=await self._metadata(), timeout=2 * ANSWER_S)
        try:
            await _first_answer(call.read, reader)
        finally:
            call.cancel()

    async def _update(self, reader: Reader, cursor: str) -> None:
        stub, metadata = EventServiceStub(self._client.channel), await self._metadata()
        latest = stream_pb2.Watch(watch_id="latest", scope="global")
        request = pb.FollowRequest(follow_id=uuid.uuid4().hex, watches=[latest])
        call = stub.Follow(request, metadata=metadata, timeout=2 * ANSWER_S)
        try:
            await call.read()
            action = pb.SubscribeRequest(create=self._watch(cursor))
            update = pb.UpdateFollowRequest(follow_id=request.follow_id, actions=[action])
            await stub.UpdateFollow(update, metadata=metadata, timeout=ANSWER_S)
            await _first_answer(call.read, reader)
        finally:
            call.cancel()

    async def _read(self, reader: Reader, cursor: str) -> None:
        page = await self._client.read_events(self._scene.scope, cursor, page_size=50)
        for event in page.events:
            reader.note(event)


async def _first_answer(read: Callable[[], Awaitable[object]], reader: Reader) -> None:
    """Read until the first events, or the word that they are gone; writers go on, so one comes.

    A stream that ends without either has not answered, which the reader then shows.
    """
    while isinstance(frame := await read(), pb.SubscribeResponse | pb.FollowResponse):
        if frame.HasField("ended") and frame.ended.HasField("error"):
            raise error_of_status(frame.ended.error)
        if frame.HasField("batch"):
            for event in frame.batch.events:
                reader.note(event)
            return
