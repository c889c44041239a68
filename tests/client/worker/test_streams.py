"""Turns outlive the streams on which they are said."""

import asyncio
import logging

import grpc
import pytest

from antiphon.dispatcher.v1.worker_pb2 import (
    Answer,
    RefusedHandler,
    ToolCallEnds,
    WorkDraining,
)
from antiphon.dispatcher.v1.worker_service_pb2 import WorkResponse
from antiphon_client import AntiphonError, ApiKey, Connection, PermissionDenied, Unauthenticated
from antiphon_client.worker import Work, Worker
from tests.client.fake_server import error_status
from tests.client.worker.scripted import TURN, running, scripted_server
from tests.e2e.until import SOON_S, until

NOT_ALLOWED = RefusedHandler(name="expert", error=error_status(7, "HANDLER_NOT_ALLOWED"))


def talking(worker: Worker) -> "asyncio.Queue[str]":
    """A handler that says what it is told to, and is done with an empty word."""
    words: asyncio.Queue[str] = asyncio.Queue()

    @worker.handler("expert")
    async def expert(work: Work) -> None:
        while word := await words.get():
            await work.progress(word)

    return words


async def test_a_stream_that_breaks_loses_nothing() -> None:
    """The hello names the turn; under the new fence all is said again that is not stored."""
    async with scripted_server() as server:
        worker = server.worker()
        words = talking(worker)
        async with running(worker):
            first = await server.welcomed()
            await first.assign(fence=3)
            for word in ("one", "two", "three"):
                words.put_nowait(word)
                assert (await first.next("output")).progress.status == word
            await first.ack(1, fence=3)
            first.cut()
            words.put_nowait("four")  # nobody is there
            second = await server.stream()
            [held] = second.hello.held
            assert (held.turn_id, held.fence) == (TURN, 3)
            assert second.hello.worker_id == first.hello.worker_id
            await second.welcome()
            await second.silence(0.2)  # not before it is assigned anew
            words.put_nowait("")
            await second.assign(fence=4, sequence=2, held=True)
            three = await second.next("output")
            assert (three.sequence, three.fence, three.progress.status) == (3, 4, "three")
            four = await second.next("output")
            assert (four.sequence, four.fence, four.progress.status) == (4, 4, "four")
            assert (await second.next("finish")).sequence == 4


async def test_an_end_is_said_until_it_is_stored() -> None:
    """Whatever breaks: on each stream once, under its fence, and then it is forgotten."""
    async with scripted_server() as server:
        worker = server.worker()
        talking(worker).put_nowait("")
        async with running(worker):
            stream = await server.welcomed()
            await stream.assign(fence=1)
            for fence in (2, 3):
                assert (await stream.next("finish")).fence == fence - 1
                stream.cut()
                stream = await server.welcomed()
                assert [it.fence for it in stream.hello.held] == [fence - 1]
                await stream.assign(fence=fence, held=True)
            await stream.next("finish")
            await stream.ack(0, fence=3, finished=True)
            await until(lambda: stream.heartbeats[-1:] == [[]])
            stream.cut()
            assert not (await server.welcomed()).hello.held


async def test_an_ask_is_asked_again_by_its_number() -> None:
    """Where no answer came before the stream broke; its place among the outputs stays."""
    async with scripted_server() as server:
        worker = server.worker()

        @worker.handler("expert")
        async def expert(work: Work) -> None:
            await work.progress("before")
            end, _ = await asyncio.gather(work.call_tool("files.read"), work.progress("beside"))
            await work.write(end.text)

        async with running(worker):
            stream = await server.welcomed()
            await stream.assign()
            before = await stream.next("output")
            assert (await stream.next("ask")).number == 1
            await stream.next("output")
            stream.cut()
            stream = await server.welcomed()
            await stream.assign(fence=2, held=True)
            assert (await stream.next("output")).sequence == before.sequence
            ask = await stream.next("ask")
            assert (ask.number, ask.fence, ask.tool_calls.calls[0].tool) == (1, 2, "files.read")
            assert (await stream.next("output")).sequence == 2
            ends = ToolCallEnds()
            ends.ends.add().result.parts.add(text="content")
            await stream.say(answer=Answer(turn_id=TURN, fence=2, number=1, tool_calls=ends))
            assert (await stream.next("output")).text == "content"


async def test_a_client_goes_on_by_the_newest_grant() -> None:
    """Which each attempt has of its own; the client stays the same."""
    async with scripted_server() as server:
        worker, grants, look = server.worker(), list[str](), asyncio.Queue[None]()

        @worker.handler("expert")
        async def expert(work: Work) -> None:
            client = work.client
            while True:
                grants.append(await client.tokens.get())
                await look.get()

        async with running(worker):
            stream = await server.welcomed()
            await stream.assign()
            await until(lambda: grants == ["grant"])
            stream.cut()
            stream = await server.welcomed()
            await stream.assign(fence=2, held=True, grant="newer")
            await stream.next("accept")
            look.put_nowait(None)
            await until(lambda: grants == ["grant", "newer"])


async def test_what_was_stored_before_is_not_said_again() -> None:
    """Of a turn whose acknowledgements were lost."""
    async with scripted_server() as server:
        worker = server.worker()
        words = talking(worker)
        async with running(worker):
            stream = await server.welcomed()
            await stream.assign()
            words.put_nowait("one")
            await stream.next("output")
            stream.cut()
            stream = await server.welcomed()
            await stream.assign(fence=2, held=True, sequence=1)
            await stream.silence(0.2)
            words.put_nowait("two")
            assert (await stream.next("output")).sequence == 2


async def test_a_worker_that_is_alone_keeps_on_working_in_bounds() -> None:
    """What is said meanwhile is kept, and more than that waits."""
    async with scripted_server() as server:
        worker, written = server.worker(), 0

        @worker.handler("expert")
        async def expert(work: Work) -> None:
            nonlocal written
            for _ in range(200):
                await work.write("x" * 1000)
                written += 1

        async with running(worker):
            first = await server.welcomed(window=2)
            await first.assign()
            for _ in range(2):
                await first.next("output")
            first.cut()
            second = await server.stream()
            await asyncio.sleep(0.2)
            assert 20 < written < 200
            await second.welcome(window=100)
            await second.assign(fence=2, held=True)
            said = 0
            while said < 200_000:
                said += len((await second.next("output")).text)
            await second.next("finish")


async def test_a_turn_that_is_not_renewed_is_let_go() -> None:
    """At four fifths of its lease; it is in no hello, and is given back if it comes again."""
    async with scripted_server() as server:
        worker, stopped = server.worker(), asyncio.Event()

        @worker.handler("expert")
        async def expert(work: Work) -> None:
            try:
                await asyncio.Event().wait()
            finally:
                stopped.set()

        loop = asyncio.get_running_loop()
        async with running(worker):
            stream = await server.welcomed(lease_s=2.0)
            await stream.assign()
            await until(lambda: len(stream.heartbeats) > 3)
            stream.beats = False
            unheard = loop.time()
            await asyncio.wait_for(stopped.wait(), SOON_S)
            assert 1.2 < loop.time() - unheard < 2.0
            await stream.silence(0.1)
            stream = await server.welcomed()  # it was looking for another way meanwhile
            await stream.assign(fence=2, held=True)
            assert (await stream.next("decline")).fence == 2
            stream.cut()
            assert not (await server.stream()).hello.held


async def test_beats_keep_a_turn() -> None:
    """Over many times its lease."""
    async with scripted_server() as server:
        worker = server.worker()
        words = talking(worker)
        async with running(worker):
            stream = await server.welcomed(lease_s=1.5)
            await stream.assign()
            await asyncio.sleep(3.5)
            words.put_nowait("still here")
            await stream.next("output")


async def test_a_stream_begins_with_a_heartbeat() -> None:
    """A lease that has run since the last answer of another server is renewed as soon as it may."""
    async with scripted_server() as server:
        worker = server.worker()
        talking(worker)
        async with running(worker):
            stream = await server.welcomed(heartbeat_s=60.0)
            await until(lambda: len(stream.heartbeats) == 1, SOON_S)


async def test_a_server_that_does_not_answer_heartbeats_is_left() -> None:
    """The turn goes on by another connection, before its lease is over."""
    async with scripted_server() as server:
        worker = server.worker()
        words = talking(worker)
        async with running(worker):
            stream = await server.welcomed(lease_s=4.0)
            stream.beats = False
            await stream.assign()
            stream = await server.welcomed()
            assert [it.turn_id for it in stream.hello.held] == [TURN]
            await stream.assign(fence=2, held=True)
            words.put_nowait("on")
            await stream.next("output")


async def test_a_server_that_drains_is_left_after_its_time() -> None:
    """Until then it is told what there is; turns are kept."""
    async with scripted_server() as server:
        worker = server.worker()
        words = talking(worker)
        loop = asyncio.get_running_loop()
        async with running(worker):
            first = await server.welcomed()
            await first.assign()
            draining, began = WorkDraining(), loop.time()
            draining.reconnect_after.FromMilliseconds(300)
            await first.say(draining=draining)
            words.put_nowait("meanwhile")
            await first.next("output")
            second = await server.welcomed()
            assert loop.time() - began >= 0.3
            assert [it.turn_id for it in second.hello.held] == [TURN]


async def test_a_stream_that_a_draining_server_ends_waits_for_the_time() -> None:
    """Nobody listens before."""
    async with scripted_server() as server:
        worker = server.worker()
        talking(worker)
        loop = asyncio.get_running_loop()
        async with running(worker):
            first = await server.welcomed()
            draining, began = WorkDraining(), loop.time()
            draining.reconnect_after.FromMilliseconds(500)
            await first.say(draining=draining)
            await asyncio.sleep(0.1)
            first.cut()
            await server.stream()
            assert loop.time() - began >= 0.45


async def test_its_token_is_renewed_on_the_stream() -> None:
    """Before it expires, by a refresh; the stream goes on."""
    async with scripted_server(token_life_s=1.0) as server:
        worker = server.worker()
        talking(worker)
        async with running(worker):
            stream = await server.welcomed()
            refresh = await stream.next("refresh")
            assert refresh.access_token in server.state.valid
            assert refresh.access_token == f"access-1-{server.state.refreshes}"


async def test_slots_that_change_while_it_says_hello_are_said() -> None:
    """The hello had the former number."""
    async with scripted_server() as server:
        worker = server.worker(slots=2)
        talking(worker)
        async with running(worker):
            stream = await server.stream()
            worker.slots = 5
            await stream.welcome()
            assert stream.hello.slots == 2
            assert (await stream.next("credit")).slots == 5


async def test_frames_that_it_does_not_know_are_let_be() -> None:
    """A newer server says more."""
    newer = WorkResponse.FromString(bytes.fromhex("a2060568656c6c6f"))  # field 100
    assert newer.WhichOneof("frame") is None
    async with scripted_server() as server:
        worker = server.worker()
        words = talking(worker)
        async with running(worker):
            stream = await server.welcomed()
            await stream.write(newer)
            await stream.assign()
            words.put_nowait("here")
            await stream.next("output")


@pytest.mark.parametrize(
    ("code", "reason"),
    [
        (grpc.StatusCode.RESOURCE_EXHAUSTED, "LIMIT_EXCEEDED"),
        (grpc.StatusCode.UNAVAILABLE, "DRAINING"),
        (grpc.StatusCode.UNAUTHENTICATED, "SESSION_REVOKED"),
        (grpc.StatusCode.ALREADY_EXISTS, "ALREADY_EXISTS"),
        (grpc.StatusCode.INTERNAL, "INTERNAL"),
    ],
)
async def test_what_passes_is_tried_again(code: grpc.StatusCode, reason: str) -> None:
    """A full server, one that stops, a session that was revoked, and a server's defect."""
    async with scripted_server() as server:
        seen: list[Connection] = []
        worker = server.worker(on_connection=seen.append)
        talking(worker)
        server.refusals.append((code, reason))
        async with running(worker):
            await server.welcomed()
            await until(lambda: seen[-1].state == "connected")
            assert [it.state for it in seen] == ["connecting", "waiting", "connecting", "connected"]


@pytest.mark.parametrize("reason", ["ALREADY_EXISTS", "INTERNAL"])
async def test_a_stream_that_a_defect_of_the_server_ends(reason: str) -> None:
    """Is opened again, with the turns that it had."""
    async with scripted_server() as server:
        worker = server.worker()
        words = talking(worker)
        async with running(worker):
            stream = await server.welcomed()
            await stream.assign()
            words.put_nowait("one")
            await stream.next("output")
            stream.cut(grpc.StatusCode.INTERNAL, reason)
            assert [it.turn_id for it in (await server.welcomed()).hello.held] == [TURN]


async def test_a_server_that_knows_no_workers() -> None:
    """Ends it, unless another one has known them: then servers are being upgraded."""
    async with scripted_server() as server:
        worker = server.worker()
        talking(worker)
        async with running(worker):
            (await server.welcomed()).cut(grpc.StatusCode.UNIMPLEMENTED)
            await server.stream()
        async with running(worker) as task:
            (await server.stream()).cut(grpc.StatusCode.UNIMPLEMENTED)
            with pytest.raises(AntiphonError) as caught:
                await asyncio.wait_for(task, SOON_S)
        assert caught.value.code is grpc.StatusCode.UNIMPLEMENTED


async def test_a_key_that_is_refused_ends_it() -> None:
    """Trying again would not help."""
    async with scripted_server() as server:
        worker = server.worker(ApiKey("wrong"))
        talking(worker)
        with pytest.raises(Unauthenticated):
            await asyncio.wait_for(worker.run(signals=False), SOON_S)


async def test_handlers_that_are_all_refused_end_it() -> None:
    """By the stream's end, or in the welcome."""
    async with scripted_server() as server:
        worker = server.worker()
        talking(worker)
        server.refusals.append((grpc.StatusCode.PERMISSION_DENIED, "HANDLER_NOT_ALLOWED"))
        with pytest.raises(PermissionDenied):
            await asyncio.wait_for(worker.run(signals=False), SOON_S)
        async with running(worker) as task:
            await server.welcomed(refused=NOT_ALLOWED)
            with pytest.raises(AntiphonError) as caught:
                await asyncio.wait_for(task, SOON_S)
            assert caught.value.reason == "HANDLER_NOT_ALLOWED"


async def test_a_handler_that_is_refused_is_told_once(caplog: pytest.LogCaptureFixture) -> None:
    """With what to do; the others work."""
    caplog.set_level(logging.WARNING)
    async with scripted_server() as server:
        worker = server.worker()
        talking(worker)

        @worker.handler("other")
        async def other(work: Work) -> None:
            await work.write("works")

        async with running(worker):
            stream = await server.welcomed(refused=NOT_ALLOWED)
            stream.cut()
            stream = await server.welcomed(refused=NOT_ALLOWED)
            await stream.assign(handler="other")
            assert (await stream.next("output")).text == "works"
    assert caplog.text.count("antiphon workers allow expert") == 1


async def test_that_there_is_no_stream_is_told_once(caplog: pytest.LogCaptureFixture) -> None:
    """What was refused, and why, before there is one; a break that is mended at once is not."""
    caplog.set_level(logging.WARNING)
    async with scripted_server() as server:
        worker = server.worker()
        talking(worker)
        server.refusals = [(grpc.StatusCode.RESOURCE_EXHAUSTED, "LIMIT_EXCEEDED")] * 3
        async with running(worker):
            stream = await server.welcomed()
            stream.cut()
            await server.welcomed()
    assert caplog.text.count("there is no stream to the server: LIMIT_EXCEEDED") == 1
    assert caplog.text.count("there is no stream") == 1
