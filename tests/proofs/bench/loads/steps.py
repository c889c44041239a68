"""Calls of several kinds, one after the other: how long each takes alone, and what it costs.

What it costs is measured with several clients at once, as processes that sleep between any two
calls wake up at a price of their own.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from typing import Any

from antiphon.context.v1.context_service_pb2 import (
    ListMembersRequest,
    ListMembersResponse,
    ListMessagesRequest,
    ListMessagesResponse,
    PostMessageRequest,
    PostMessageResponse,
)
from antiphon.context.v1.message_pb2 import Part
from antiphon.events.v1.event_service_pb2 import FollowRequest, FollowResponse
from antiphon.events.v1.stream_pb2 import Watch
from tests.proofs.bench.loads.client import Target, Window
from tests.proofs.bench.loads.http2 import OPEN_TIMEOUT_S, Connection, Failed, connect
from tests.proofs.bench.loads.turns import CONVERSE, Conversing, Tally

POST = "/antiphon.context.v1.ContextService/PostMessage"
MEMBERS = "/antiphon.context.v1.ContextService/ListMembers"
LIST = "/antiphon.context.v1.ContextService/ListMessages"
FOLLOW = "/antiphon.events.v1.EventService/Follow"
WARM_S = 0.2
Call = Callable[[], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class Job:
    """Each of ``kinds``: one client for ``seconds``, if it is measured alone; then ``clients``.

    Each in a conversation of its own, or all together in one, which may be given.
    """

    target: dict[str, Any]
    kinds: list[str]
    clients: int
    seconds: float
    deltas: int = 0
    conversation: str = ""
    together: bool = False
    alone: bool = True


async def run(job: Job) -> dict[str, Any]:
    """Returns for each kind ``took_s`` of one client, and of all ``ms`` a call of each part.

    ``cpu_ms`` a call and ``client_cpu_share`` are what the server and the clients used for all.
    """
    target = Target(**job.target)
    return {kind: await _measured(job, target, _KINDS[kind]) for kind in job.kinds}


async def _measured(job: Job, target: Target, made: Any) -> dict[str, Any]:
    async with target.channel() as channel:
        names = [job.conversation] if job.conversation else []
        while len(names) < (1 if job.conversation or job.together else job.clients):
            names.append(await target.conversation(channel))
        names *= job.clients // len(names)
    calls: list[Call] = [await made(target, name, job.deltas) for name in names]
    await calls[0]()  # what is imported at the first one
    took = await _alone(job, target, calls[0]) if job.alone else []
    ended, window = 0, Window(target, job.seconds)

    def counted(call: Call) -> Call:
        async def counting() -> None:
            nonlocal ended
            await call()
            ended += window.counts(time.perf_counter())

        return counting

    await window.run([counted(call) for call in calls])
    ms = {part: s / max(ended, 1) * 1000 for part, s in window.parts_s.items()}
    return {
        "took_s": took,
        "ms": ms,
        "per_s": ended / job.seconds,
        "cpu_ms": window.cpu_s / max(ended, 1) * 1000,
        "client_cpu_share": window.client_cpu_s / job.seconds,
    }


async def _alone(job: Job, target: Target, call: Call) -> list[float]:
    took: list[float] = []
    window = Window(replace(target, parts={}), job.seconds, WARM_S)

    async def timed() -> None:
        begun = time.perf_counter()
        await call()
        if window.counts(begun):
            took.append(time.perf_counter() - begun)

    await window.run([timed])
    return took


async def _post(target: Target, name: str, _: int) -> Call:
    """A message, committed and answered."""
    connection = await connect(target, POST)
    body = _request(name)

    async def call() -> None:
        answer = PostMessageResponse.FromString(await _answer(connection, body))
        if answer.message.conversation_id != name:
            raise Failed(f"not the message: {answer}")

    return call


async def _list(target: Target, name: str, _: int) -> Call:
    """One page of the one message of a conversation."""
    await (await _post(target, name, 0))()
    connection = await connect(target, LIST)
    body = ListMessagesRequest(conversation_id=name, page_size=20).SerializeToString()

    async def call() -> None:
        answer = ListMessagesResponse.FromString(await _answer(connection, body))
        if len(answer.messages) != 1:
            raise Failed(f"not one message: {answer}")

    return call


async def _members(target: Target, name: str, _: int) -> Call:
    """One page of a conversation's members, with their names."""
    connection = await connect(target, MEMBERS)
    body = ListMembersRequest(resource=name, page_size=200).SerializeToString()

    async def call() -> None:
        answer = ListMembersResponse.FromString(await _answer(connection, body))
        if not answer.members or not all(each.display_name for each in answer.members):
            raise Failed(f"members without names: {answer}")

    return call


async def _turn(target: Target, name: str, deltas: int) -> Call:
    """From the post on a Converse stream to the turn's end there."""
    tally = Tally(Window(target, 0), deltas)
    conversing = await Conversing.open(await connect(target, CONVERSE), name, tally)
    return conversing.turn


async def _delivery(target: Target, name: str, _: int) -> Call:
    """From the post to the batch that holds it, on a Follow stream of another connection."""
    posting, news = await connect(target, POST), asyncio.Queue[FollowResponse]()
    connection = await connect(target, FOLLOW)
    watch = Watch(watch_id="w", scope=f"conversations/{name}")
    stream = connection.stream(
        lambda body: news.put_nowait(FollowResponse.FromString(body)),
        FollowRequest(watches=[watch]).SerializeToString(),
    )
    body = _request(name)

    async def until(field: str) -> None:
        while not (await _or_failed(stream.done, news.get())).HasField(field):
            pass

    async with asyncio.timeout(OPEN_TIMEOUT_S):
        await until("created")

    async def call() -> None:
        posted = posting.stream(lambda _: None, body).done
        await until("batch")
        await posted

    return call


async def _or_failed(done: "asyncio.Future[None]", news: Any) -> Any:
    """The stream's next frame. Raises what ended it."""
    waiting = asyncio.ensure_future(news)
    await asyncio.wait([done, waiting], return_when=asyncio.FIRST_COMPLETED)
    if waiting.done():
        return waiting.result()
    waiting.cancel()
    done.result()
    raise Failed("the stream ended")


async def _answer(connection: Connection, body: bytes) -> bytes:
    answers: list[bytes] = []
    await connection.stream(answers.append, body).done
    return answers[0]


def _request(name: str) -> bytes:
    request = PostMessageRequest(conversation_id=name, parts=[Part(text="word " * 8)])
    return request.SerializeToString()


_KINDS = {"post": _post, "list": _list, "members": _members, "turn": _turn, "delivery": _delivery}
