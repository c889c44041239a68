"""What a worker says of its turns."""

import asyncio
import logging

import pytest

from antiphon.dispatcher.v1.worker_pb2 import (
    REVOKE_REASON_FENCED,
    Answer,
    Cancel,
    Rejected,
    Revoke,
    ToolCallEnds,
)
from antiphon.integration.v1.tool_pb2 import TOOL_ANSWER_ACTION_ACCEPTED, ToolAnswer
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


async def test_text_flows_in_pieces_of_time() -> None:
    """The first piece goes at once; what follows within 25 ms goes together."""
    async with scripted_server() as server:
        worker = server.worker()

        @worker.handler("expert")
        async def expert(work: Work) -> None:
            for number in range(100):
                await work.write(f"{number} ")
                await asyncio.sleep(0.001)

        async with running(worker):
            stream = await server.welcomed(window=1000)
            await stream.assign()
            texts = [(await stream.next("output")).text]
            assert texts == ["0 "]
            while "99" not in texts[-1]:
                texts.append((await stream.next("output")).text)
            assert "".join(texts) == "".join(f"{number} " for number in range(100))
            assert len(texts) < 50


async def test_a_long_text_goes_in_frames() -> None:
    """Of at most 64 KiB of UTF-8, cut between characters."""
    whole = "wörd€𝄞" * 40_000
    async with scripted_server() as server:
        worker = server.worker()

        @worker.handler("expert")
        async def expert(work: Work) -> None:
            await work.write(whole)

        async with running(worker):
            stream = await server.welcomed(window=1000)
            await stream.assign()
            said = ""
            while len(said) < len(whole):
                piece = (await stream.next("output")).text
                assert len(piece.encode()) <= 64 * 1024
                said += piece
            assert said == whole


async def test_no_more_is_on_its_way_than_the_server_wants() -> None:
    """Who writes more than it stores waits, and the turn goes on as it stores."""
    async with scripted_server() as server:
        worker, written = server.worker(), 0

        @worker.handler("expert")
        async def expert(work: Work) -> None:
            nonlocal written
            for _ in range(1000):
                await work.write("x" * 1024)
                await work.progress("going on")
                written += 1

        async with running(worker):
            stream = await server.welcomed(window=4)
            await stream.assign()
            newest = [(await stream.next("output")).sequence for _ in range(4)][-1]
            await stream.silence(0.2)
            assert written < 80
            before = written
            await stream.ack(newest)
            assert (await stream.next("output")).sequence == newest + 1
            await until(lambda: written > before)


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
        revoke = Revoke(turn_id=TURN, fence=1, reason=REVOKE_REASON_FENCED)
        await stream.say(revoke=revoke)
    else:
        error = error_status(9, "TURN_NOT_HELD")
        await stream.say(rejected=Rejected(turn_id=TURN, sequence=1, error=error))
    return stream


@pytest.mark.parametrize("how", ["cancel", "revoke", "reject"])
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


async def test_people_and_tools_are_asked() -> None:
    """Asks are numbered in the order in which the work comes to them, and answered by number."""
    async with scripted_server() as server:
        worker, heard = server.worker(), list[object]()

        @worker.handler("expert")
        async def expert(work: Work) -> None:
            await work.write("first")
            heard.append((await work.ask("May I?", {"type": "object"})).content_json)
            heard.append((await work.call_tool("files.read", {"path": "a"})).text)
            [end] = await work.call_tools([("files.read", {})])
            heard.append((end.failed, end.error and end.error.reason))

        async with running(worker):
            stream = await server.welcomed()
            await stream.assign()
            assert (await stream.next("output")).text == "first"
            ask = await stream.next("ask")
            assert (ask.number, ask.question.message) == (1, "May I?")
            said = ToolAnswer(action=TOOL_ANSWER_ACTION_ACCEPTED, content_json='{"yes": true}')
            await stream.say(answer=Answer(turn_id=TURN, fence=1, number=1, answer=said))
            ask = await stream.next("ask")
            assert (ask.number, ask.tool_calls.calls[0].arguments_json) == (2, '{"path": "a"}')
            ends = ToolCallEnds()
            ends.ends.add().result.parts.add(text="content")
            await stream.say(answer=Answer(turn_id=TURN, fence=1, number=2, tool_calls=ends))
            assert (await stream.next("ask")).number == 3
            ends = ToolCallEnds()
            ends.ends.add(error=error_status(5, "TOOL_NOT_FOUND"))
            await stream.say(answer=Answer(turn_id=TURN, fence=1, number=3, tool_calls=ends))
            await stream.next("finish")
        assert heard == ['{"yes": true}', "content", (True, "TOOL_NOT_FOUND")]


async def test_tools_of_its_own_are_shown() -> None:
    """A call and what came of it; one that raises has failed."""
    async with scripted_server() as server:
        worker = server.worker()

        @worker.handler("expert")
        async def expert(work: Work) -> None:
            async with work.tool_call("ruff", {"files": 2}) as call:
                await work.write("meanwhile")
                call.result("3 findings")
            async with work.tool_call("mypy"):
                raise WorkFailed("mypy is missing")

        async with running(worker):
            stream = await server.welcomed()
            await stream.assign()
            call = await stream.next("output")
            assert (call.tool_call.tool, call.tool_call.arguments_json) == ("ruff", '{"files": 2}')
            assert (await stream.next("output")).text == "meanwhile"
            result = (await stream.next("output")).tool_result
            assert (result.call_sequence, result.parts[0].text) == (call.sequence, "3 findings")
            second = await stream.next("output")
            result = (await stream.next("output")).tool_result
            assert (result.call_sequence, result.failed) == (second.sequence, True)
            assert (await stream.next("finish")).failure == "mypy is missing"


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


async def test_news_that_are_out_of_date_are_not_said() -> None:
    """Progress that waits is replaced by newer progress."""
    async with scripted_server() as server:
        worker = server.worker()

        @worker.handler("expert")
        async def expert(work: Work) -> None:
            for number in range(100):
                await work.progress(f"step {number}")

        async with running(worker):
            stream = await server.welcomed(window=2)
            await stream.assign()
            assert (await stream.next("output")).progress.status == "step 99"
            assert (await stream.next("finish")).sequence == 1


async def test_an_output_that_is_not_taken_fails_the_turn() -> None:
    """What was sent behind it is not taken either; what was before it counts."""
    async with scripted_server() as server:
        worker, stopped = server.worker(), asyncio.Event()

        @worker.handler("expert")
        async def expert(work: Work) -> None:
            try:
                for number in range(3):
                    await work.progress(f"step {number}")
                    await asyncio.sleep(0.01)
                await asyncio.Event().wait()
            finally:
                stopped.set()

        async with running(worker):
            stream = await server.welcomed()
            await stream.assign()
            for _ in range(3):
                await stream.next("output")
            error = error_status(3, "INVALID_ARGUMENT")
            await stream.say(rejected=Rejected(turn_id=TURN, sequence=2, error=error))
            await stream.say(rejected=Rejected(turn_id=TURN, sequence=3, error=error))
            finish = await stream.next("finish")
            assert finish.sequence == 1
            assert finish.failure
            await stopped.wait()
            await stream.silence(0.1)
            await stream.ack(1, finished=True)
            await until(lambda: stream.heartbeats[-1] == [])


async def test_what_the_contract_does_not_allow_is_not_said() -> None:
    """A handler learns of it where it says that."""
    async with scripted_server() as server:
        worker, wrong = server.worker(), 0

        @worker.handler("expert")
        async def expert(work: Work) -> None:
            nonlocal wrong
            for mistake in (
                lambda: work.progress(""),
                lambda: work.progress("on", 1.5),
                lambda: work.call_tool("read"),
                lambda: work.call_tool("files.read", {"nan": float("nan")}),
                lambda: work.tool_call("no space").__aenter__(),
                lambda: work.tool_call("ruff", {"much": "x" * 65536}).__aenter__(),
                lambda: work.ask(""),
                lambda: work.ask("May I?", {"much": "x" * 16384}),
                lambda: work.write("half a \ud83d"),
            ):
                with pytest.raises(ValueError, match=" "):
                    await mistake()
                wrong += 1

        async with running(worker):
            stream = await server.welcomed()
            await stream.assign()
            finish = await stream.next("finish")
            assert (wrong, finish.sequence, finish.failure) == (9, 0, "")


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
