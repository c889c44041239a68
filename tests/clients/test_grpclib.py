"""What grpclib, over which the dataclasses' example speaks, loses at a stream's end."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from grpclib.client import Channel, StreamStreamMethod, UnaryStreamMethod
from grpclib.exceptions import StreamTerminatedError

from antiphon.events.v1 import event_service_pb2 as pb
from antiphon.events.v1 import stream_pb2
from antiphon_client import ApiKey, Client
from antiphon_server.app import running
from antiphon_server.settings import Settings
from tests.e2e.until import until

SERVICE = "/antiphon.events.v1.EventService"
WATCH = stream_pb2.Watch(watch_id="w", scope="global", start=stream_pb2.START_POSITION_EARLIEST)


class Busy:
    """A reader of a stream, who takes its first frame and then does something else for a while."""

    def __init__(self, port: int, client: Client, token: str) -> None:
        self._port, self._client, self._token = port, client, token

    async def frames(self, method: Any, request: Any, kind: Any, *, end: bool) -> list[str]:
        """What it gets of a stream that ends meanwhile, as the session that opened it does."""
        seen: list[str] = []
        async with Channel("127.0.0.1", self._port) as channel:
            opened = method(channel, f"{SERVICE}/{kind}", type(request), _ANSWERS[kind])
            stream = opened.open(metadata={"authorization": f"Bearer {self._token}"})
            try:
                async with stream:
                    await stream.send_message(request, end=end)
                    async for frame in stream:
                        seen += [field.name for field, _ in frame.ListFields()]
                        if len(seen) == 1:
                            await self._end_of_session()
                            await until(lambda: _last_word_came(stream))
            except StreamTerminatedError:
                seen.append("terminated")
        return seen

    async def _end_of_session(self) -> None:
        (mine,) = [it async for it in self._client.list_sessions() if it.current]
        await self._client.revoke_session(mine.session_id)


def _last_word_came(stream: Any) -> bool:
    """Whether grpclib has it, though its reader has not: the reset, or what ends a whole stream."""
    reset = stream._wrapper._error is not None
    whole = stream._end_done and stream._stream.trailers_received.is_set()
    return reset or whole


_ANSWERS = {"Subscribe": pb.SubscribeResponse, "Follow": pb.FollowResponse}


@pytest.fixture
async def reader(tmp_path: Path) -> AsyncIterator[Busy]:
    settings = Settings(port=0, admin_port=None, data_dir=tmp_path / "data", model="scripted/echo")
    async with running(settings) as app:
        key = ApiKey((settings.data_dir / "operator.key").read_text().strip())
        async with Client.connect(f"127.0.0.1:{app.port}", key) as client:
            yield Busy(app.port, client, await client.tokens.get())


async def test_a_stream_of_requests_loses_what_was_not_read(reader: Busy) -> None:
    """GRPC resets a stream whose client could still speak; grpclib then drops what came before."""
    request = pb.SubscribeRequest(create=WATCH)
    seen = await reader.frames(StreamStreamMethod, request, "Subscribe", end=False)
    assert seen == ["created", "terminated"]


async def test_a_stream_of_one_request_loses_nothing(reader: Busy) -> None:
    """So clients of grpclib that want to know why a stream ended ask by Follow."""
    request = pb.FollowRequest(follow_id="follow_00000001", watches=[WATCH])
    seen = await reader.frames(UnaryStreamMethod, request, "Follow", end=True)
    assert seen[0] == "created"
    assert seen[-1] == "ended"
