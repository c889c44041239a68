"""What handlers say, and how it goes to the server."""

import asyncio

import pytest

from antiphon.dispatcher.v1.worker_pb2 import (
    Answer,
    Rejected,
    ToolCallEnds,
)
from antiphon.integration.v1.tool_pb2 import TOOL_ANSWER_ACTION_ACCEPTED, ToolAnswer
from antiphon_client.worker import Work, WorkFailed
from tests.client.fake_server import error_status
from tests.client.worker.scripted import TURN, running, scripted_server
from tests.e2e.until import until


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
            began = asyncio.get_running_loop().time()
            while "99" not in texts[-1]:
                texts.append((await stream.next("output")).text)
            assert "".join(texts) == "".join(f"{number} " for number in range(100))
            took = asyncio.get_running_loop().time() - began
            assert len(texts) <= took / 0.025 + 2


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
