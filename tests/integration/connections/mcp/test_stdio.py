"""Programs as servers: bounded, cancelled, ended whole."""

import asyncio
import json
import os
import sys
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path

import psutil
import pytest

from antiphon_server.integration.connections.mcp.adapters.connection import McpConnection
from antiphon_server.integration.connections.mcp.model import Config, Limits, Program
from antiphon_server.integration.connections.mcp.opening import open_connection
from antiphon_server.integration.connections.mcp.ports import Outside
from antiphon_server.integration.tools.model import (
    Call,
    Caller,
    Json,
    Result,
    SourceName,
    ToolCallId,
    ToolName,
)
from antiphon_server.integration.tools.questions import Pause
from antiphon_server.runtime.errors.domain_error import DomainError, Reason
from tests.runtime.egress.places import guarded

STRANGE = str(Path(__file__).with_name("strange_server.py"))
LIMITS = Limits(open_s=30, call_s=2, max_bytes=1_000_000)


@asynccontextmanager
async def connected(*arguments: str, limits: Limits = LIMITS) -> AsyncGenerator[McpConnection]:
    program = Program(sys.executable, arguments)
    config = Config(SourceName("it"), program, "2025-11-25", limits)
    connection = await open_connection(config, Outside(guarded))
    try:
        yield connection
    finally:
        await connection.close()


def call(tool: str, **arguments: Json) -> Call:
    return Call(ToolCallId("1"), ToolName(f"it.{tool}"), arguments, Caller("w"))


def text(result: Result | Pause) -> str:
    assert isinstance(result, Result)
    return result.parts[0].content


async def children() -> set[psutil.Process]:
    """This process's: those that other tests share, too."""
    return set(await asyncio.to_thread(psutil.Process().children, recursive=True))


def alive(number: int) -> bool:
    return psutil.pid_exists(number) and psutil.Process(number).status() != "zombie"


async def test_a_real_server_tells_its_tools_and_is_called() -> None:
    """mcp-server-time: definitions, a result, a ping."""
    before = await children()
    async with connected("-m", "mcp_server_time", limits=Limits(open_s=60)) as connection:
        assert "it.get_current_time" in await connection.discover()
        await connection.ping()
        result = await connection.call(call("get_current_time", timezone="Asia/Tokyo"))
        assert json.loads(text(result))["timezone"] == "Asia/Tokyo"
        assert isinstance(result, Result)
        assert not result.failed
        nowhere = await connection.call(call("get_current_time", timezone="Nowhere/No"))
        assert isinstance(nowhere, Result)
        assert nowhere.failed
    assert not await children() - before


async def test_a_repository_is_read_by_a_real_server(tmp_path: Path) -> None:
    """mcp-server-git: what it says of an empty repository."""
    process = await asyncio.create_subprocess_exec("git", "init", "-q", str(tmp_path))
    await process.wait()
    async with connected("-m", "mcp_server_git", limits=Limits(open_s=60)) as connection:
        status = await connection.call(call("git_status", repo_path=str(tmp_path)))
        assert "No commits yet" in text(status)


async def test_of_64_calls_62_results_are_kept() -> None:
    """One hangs, one fails; neither costs another its result."""
    async with connected(STRANGE) as connection:
        calls = [call("echo", text=str(number)) for number in range(62)]
        told = await asyncio.gather(
            *(connection.call(one) for one in [call("hang"), *calls, call("fail")]),
            return_exceptions=True,
        )
        kept = [text(one) for one in told if isinstance(one, Result)]
        assert kept == [str(number) for number in range(62)]
        reasons = [one.reason for one in told if isinstance(one, DomainError)]
        assert reasons == [Reason.TOOL_TIMEOUT, Reason.TOOL_FAILED]
        assert "secret" not in str(told[-1])


@pytest.mark.parametrize(
    ("tool", "reason"),
    [
        ("endless", Reason.TOOL_CALL_LOST),
        ("close", Reason.TOOL_CALL_LOST),
        ("other_id", Reason.TOOL_TIMEOUT),
    ],
)
async def test_a_bad_answer_is_named_and_the_next_call_works(tool: str, reason: Reason) -> None:
    """A line without end, an answer for nobody, an end in its middle."""
    async with connected(STRANGE) as connection:
        with pytest.raises(DomainError) as refused:
            await connection.call(call(tool))
        assert refused.value.reason == reason
        assert text(await connection.call(call("echo", text="here"))) == "here"


async def test_a_program_whose_last_call_is_cancelled_ends_soon() -> None:
    """Within 100 ms, one too that hears neither the end of its input nor anything else."""
    before = await children()
    async with connected(STRANGE, limits=Limits(call_s=30)) as connection:
        await connection.call(call("echo", text="here"))
        (program,) = await children() - before
        hanging = asyncio.create_task(connection.call(call("deafen")))
        await asyncio.sleep(0.2)
        hanging.cancel()
        await asyncio.sleep(0.1)
        assert not await asyncio.to_thread(alive, program.pid)
        assert text(await connection.call(call("echo", text="again"))) == "again"


async def test_what_a_program_started_ends_with_it() -> None:
    """A grandchild that ignores SIGTERM, and a server that stays when its input is closed."""
    async with connected(STRANGE, "deaf") as connection:
        child = int(text(await connection.call(call("child"))))
        assert await asyncio.to_thread(alive, child)
    await asyncio.sleep(0.5)  # a killed process is reaped by whoever adopted it
    assert not await asyncio.to_thread(alive, child)


async def test_a_program_gets_a_clean_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing of the server's own variables reaches it."""
    monkeypatch.setenv("ANTIPHON_CANARY", "secret")
    async with connected(STRANGE) as connection:
        seen = json.loads(text(await connection.call(call("environment"))))
        assert set(seen) <= {"PATH", "LANG", "LC_CTYPE"}
        assert seen["PATH"] == os.defpath


@pytest.mark.proof
async def test_1000_cancelled_calls_leave_no_process() -> None:
    """Many at once, and now and then the last one, with which the program ends."""
    before = await children()
    async with connected(STRANGE, limits=Limits(call_s=30)) as connection:
        for _ in range(20):
            calls = [asyncio.create_task(connection.call(call("hang"))) for _ in range(50)]
            await connection.call(call("echo", text="here"))
            for one in calls:
                one.cancel()
            await asyncio.wait(calls)
            assert all(one.cancelled() for one in calls)
    assert not await children() - before


async def test_what_is_closed_starts_no_program_any_more() -> None:
    """Nobody would end it."""
    async with connected(STRANGE) as connection:
        assert text(await connection.call(call("echo", text="here"))) == "here"
        await connection.close()
        with pytest.raises(DomainError) as refused:
            await connection.call(call("echo", text="here"))
        assert refused.value.reason is Reason.CONNECTION_UNAVAILABLE
