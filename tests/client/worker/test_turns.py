"""How turns begin and end at a worker."""

import asyncio
import logging
import time

import pytest

from antiphon.dispatcher.v1.worker_pb2 import (
    REVOKE_REASON_FENCED,
    Cancel,
    Rejected,
    Revoke,
)
from antiphon_client.worker import Work, Worker, WorkFailed
from tests.client.fake_server import error_status
from tests.client.worker.scripted import TURN, ScriptedServer, Stream, running, scripted_server
from tests.e2e.until import until


async def test_a_turn_is_answered() -> None:
    """It is accepted, said in order, ended, and then forgotten."""
    async with scripted_server() as server:
        worker, seen = server.worker(version="7", slots=3), []

        @worker.handler("expert", description="Knows.", takes=["image"])
        async def expert(work: Work) -> None:
            seen.append((work.message, work.attempt, work.resumed_text, work.creator))
            await work.progress("looking", 0.5)
            await work.write("all ")
            await work.write("is well")

        async with running(worker):
            stream = await server.welcomed()
            [offered] = stream.hello.handlers
            assert (stream.hello.version, stream.hello.slots) == ("7", 3)
            assert (offered.name, offered.description, *offered.takes) == (
                "expert",
                "Knows.",
                "image",
            )
            await stream.assign("how?", fence=2, sequence=4, text="So ", creator="users/user_1")
            accepted = await stream.next("accept")
            assert (accepted.turn_id, accepted.fence) == (TURN, 2)
            progress = await stream.next("output")
            assert (progress.sequence, progress.progress.fraction) == (5, 0.5)
            text = await stream.next("output")
            assert (text.sequence, text.fence, text.text) == (6, 2, "all is well")
            finish = await stream.next("finish")
            assert (finish.sequence, finish.failure) == (6, "")
            await until(lambda: [TURN] in stream.heartbeats)
            await stream.ack(6, fence=2, finished=True)
            await until(lambda: stream.heartbeats[-1] == [])
            assert seen == [("how?", 2, "So ", "users/user_1")]


@pytest.mark.parametrize(
    ("raised", "said"),
    [
        (WorkFailed("the folder is empty"), "the folder is empty"),
        (WorkFailed("é" * 2000), "é" * 512),
        (KeyError("secret"), "something went wrong at the worker, and its log says what"),
    ],
)
async def test_how_a_handler_fails(
    raised: Exception, said: str, caplog: pytest.LogCaptureFixture
) -> None:
    """Its own words are for people; of another exception they are told nothing, and the log all."""
    async with scripted_server() as server:
        worker = server.worker()

        @worker.handler("expert")
        async def expert(work: Work) -> None:
            await work.write("well, ")
            raise raised

        async with running(worker):
            stream = await server.welcomed()
            await stream.assign()
            assert (await stream.next("output")).text == "well, "
            assert (await stream.next("finish")).failure == said
    assert ("KeyError: 'secret'" in caplog.text) == isinstance(raised, KeyError)


async def _stop_by(server: ScriptedServer, worker: Worker, how: str) -> Stream:
    stream = await server.welcomed()
    await stream.assign()
    assert (await stream.next("output")).text == "begun"
    if how == "cancel":
        await stream.say(cancel=Cancel(turn_id=TURN, fence=1))
    elif how == "revoke":
        fence = 0 if how == "revoke whichever" else 1
        revoke = Revoke(turn_id=TURN, fence=fence, reason=REVOKE_REASON_FENCED)
        await stream.say(revoke=revoke)
    else:
        error = error_status(9, "TURN_NOT_HELD")
        await stream.say(rejected=Rejected(turn_id=TURN, sequence=1, error=error))
    return stream


@pytest.mark.parametrize("how", ["cancel", "revoke", "revoke whichever", "reject"])
async def test_a_turn_that_is_stopped(how: str) -> None:
    """Its handler is cancelled and may clean up; nothing more is said, and the slot is free."""
    async with scripted_server() as server:
        worker, cleaned = server.worker(), asyncio.Event()

        @worker.handler("expert")
        async def expert(work: Work) -> None:
            await work.write("begun")
            try:
                await asyncio.Event().wait()
            except asyncio.CancelledError:
                with pytest.raises(asyncio.CancelledError):
                    await work.write("never seen")
                cleaned.set()
                raise

        async with running(worker):
            stream = await _stop_by(server, worker, how)
            await asyncio.wait_for(cleaned.wait(), 10)
            await stream.silence(0.2)
            await stream.assign(turn_id="turn_00000002")
            assert (await stream.next("output")).turn_id == "turn_00000002"


async def test_what_is_said_of_an_older_attempt_changes_nothing() -> None:
    """A cancel, a revoke or an ack of another fence is not this attempt's."""
    async with scripted_server() as server:
        worker, go_on = server.worker(), asyncio.Event()

        @worker.handler("expert")
        async def expert(work: Work) -> None:
            await go_on.wait()
            await work.write("done")

        async with running(worker):
            stream = await server.welcomed()
            await stream.assign(fence=2)
            await stream.say(cancel=Cancel(turn_id=TURN, fence=1))
            await stream.say(revoke=Revoke(turn_id=TURN, fence=1, reason=REVOKE_REASON_FENCED))
            await stream.ack(0, fence=1, finished=True)
            go_on.set()
            assert (await stream.next("output")).text == "done"
            assert (await stream.next("finish")).fence == 2


async def test_another_attempt_takes_the_place_of_the_one_before() -> None:
    """Also at the worker that has that still, and in its slot."""
    async with scripted_server() as server:
        worker, ends = server.worker(), list[int]()

        @worker.handler("expert")
        async def expert(work: Work) -> None:
            await work.write(f"attempt {work.attempt}")
            try:
                await asyncio.Event().wait()
            finally:
                ends.append(work.attempt)

        async with running(worker):
            stream = await server.welcomed()
            await stream.assign()
            assert (await stream.next("output")).text == "attempt 1"
            await stream.assign(fence=2, sequence=1)
            second = await stream.next("output")
            assert (second.text, second.sequence) == ("attempt 2", 2)
            assert ends == [1]


async def test_more_than_its_slots_is_given_back() -> None:
    """So is what it does not serve; more slots take more."""
    async with scripted_server() as server:
        worker = server.worker()

        @worker.handler("expert")
        async def expert(work: Work) -> None:
            await work.write(work.turn_id)
            await asyncio.Event().wait()

        async with running(worker):
            stream = await server.welcomed()
            await stream.assign()
            await stream.next("output")
            await stream.assign(turn_id="turn_00000002")
            assert (await stream.next("decline")).turn_id == "turn_00000002"
            worker.slots = 2
            assert (await stream.next("credit")).slots == 2
            await stream.assign(turn_id="turn_00000002", handler="other")
            assert "does not serve" in (await stream.next("decline")).reason
            await stream.assign(turn_id="turn_00000002")
            assert (await stream.next("output")).text == "turn_00000002"


async def test_the_log_says_what_was_not_taken(caplog: pytest.LogCaptureFixture) -> None:
    """A rejection of something else than a turn leaves turns alone."""
    caplog.set_level(logging.WARNING)
    async with scripted_server() as server:
        worker = server.worker()

        @worker.handler("expert")
        async def expert(work: Work) -> None:
            await work.write("done")

        async with running(worker):
            stream = await server.welcomed()
            await stream.say(rejected=Rejected(error=error_status(12, "UNIMPLEMENTED")))
            await stream.assign()
            assert (await stream.next("output")).text == "done"
    assert "UNIMPLEMENTED" in caplog.text


async def test_a_handler_that_blocks_the_loop_is_told_of(caplog: pytest.LogCaptureFixture) -> None:
    """Nobody hears the worker meanwhile: the log says why its turns may go."""
    async with scripted_server() as server:
        worker = server.worker()

        @worker.handler("expert")
        async def expert(work: Work) -> None:
            time.sleep(1.3)  # noqa: ASYNC251

        async with running(worker):
            stream = await server.welcomed()
            await stream.assign()
            await stream.next("finish")
            await until(lambda: "asyncio.to_thread" in caplog.text)


async def test_a_handler_sees_what_programs_say_of_the_message() -> None:
    """Its type and metadata; of what people say there are none."""
    async with scripted_server() as server:
        worker = server.worker()
        seen: list[tuple[str, dict[str, str]]] = []

        @worker.handler("expert")
        async def expert(work: Work) -> None:
            seen.append((work.type, dict(work.metadata)))

        async with running(worker):
            stream = await server.welcomed()
            await stream.assign("{}", type="form.submitted", metadata={"form": "order"})
            await stream.next("finish")
            await stream.ack(0, finished=True)
            await stream.assign("hi", turn_id="turn_00000002")
            await stream.next("finish")
        assert seen == [("form.submitted", {"form": "order"}), ("", {})]
