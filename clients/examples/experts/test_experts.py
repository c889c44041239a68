"""Each expert as a process, in conversations of a real server."""

import asyncio
import signal
from pathlib import Path

from test_reviewer import one_file

from antiphon.events.v1.event_pb2 import TURN_STATE_FAILED, TURN_STATE_SUCCEEDED
from antiphon_client import CallStatus, TurnResult
from antiphon_client.testing import Server
from conftest import MASTS, Serve, first_line, invited, started


async def asked(server: Server, handler: str, text: str) -> TurnResult:
    """How a turn of an expert ended."""
    return (await followed(server, handler, text))[0]


async def followed(server: Server, handler: str, text: str) -> tuple[TurnResult, list[str]]:
    """How a turn ended, and which tools were called in it, as people see that."""
    tools = []
    async with server.client() as client:
        where = (await client.create_conversation()).conversation_id
        async with client.converse(where) as talk:
            turn = await talk.post(text, handler=handler)
            async for update in turn.updates():
                if isinstance(update, CallStatus) and update.finished is not None:
                    tools.append(update.proposed.tool)
            return await turn.result(), tools


async def test_the_calculator(antiphon_server: Server, serve: Serve) -> None:
    """A sentence's expression is worked out."""
    await serve("calculator")
    result = await asked(antiphon_server, "calculator", "What is 3 * (4 + 5)?")
    assert (result.state, result.text) == (TURN_STATE_SUCCEEDED, "- `3 * (4 + 5)` = 27")


async def test_many_ask_at_once(antiphon_server: Server, serve: Serve) -> None:
    """More than it has slots for; each gets its own answer."""
    await serve("calculator")
    asking = [asked(antiphon_server, "calculator", f"{it} * {it}") for it in range(20)]
    results = await asyncio.gather(*asking)
    assert [it.text for it in results] == [f"- `{it} * {it}` = {it * it}" for it in range(20)]


async def test_a_worker_that_is_told_to_stop_ends(antiphon_server: Server, serve: Serve) -> None:
    """After the turns that it has."""
    process = await serve("calculator")
    process.send_signal(signal.SIGTERM)
    async with asyncio.timeout(30):
        assert await process.wait() == 0


async def test_the_researcher_quotes(antiphon_server: Server, serve: Serve, boats: Path) -> None:
    """Without a model."""
    await serve("researcher", "--no-model", "--folder", str(boats))
    result = await asked(antiphon_server, "researcher", MASTS)
    assert result.text.startswith("**Boats / Ketches**\n\n> Two masts.\n\nboats.md#ketches, line 7")
    result = await asked(antiphon_server, "researcher", "zebras")
    assert result.text == "None of the 1 files says anything about that."


async def test_the_researcher_has_a_model_answer(
    antiphon_server: Server, serve: Serve, boats: Path
) -> None:
    """From what it found; what the answer cites is looked up."""
    await serve("researcher", "--folder", str(boats))
    result = await asked(antiphon_server, "researcher", MASTS)
    assert result.state == TURN_STATE_SUCCEEDED
    assert result.text == (
        "A ketch has two [1], a schooner more [7].\n\n"
        "Sources, but there is no [7], so check what it is cited for:\n\n"
        "- [1] boats.md#ketches, line 7"
    )


async def test_the_reviewer(antiphon_server: Server, serve: Serve, tmp_path: Path) -> None:
    """What the tools find, then a model's words, which here are what it was asked."""
    (tmp_path / "old.py").write_text("import os\n")
    await serve("reviewer", "--checkout", str(tmp_path))
    diff = one_file("new.py", "import sys", "x: int = 'no'")
    text = f"Please review:\n\n```diff\n{diff}```"
    result, tools = await followed(antiphon_server, "reviewer", text)
    assert tools == ["ruff", "mypy"]
    assert result.state == TURN_STATE_SUCCEEDED
    found, words = result.text.split("\n\n---\n\n")
    assert "- `new.py:1` ruff F401:" in found
    assert "- `new.py:2` mypy assignment:" in found
    assert words.startswith(f"What the tools say:\n\n{found}\n\nThe diff:")


async def test_the_reviewer_refuses(antiphon_server: Server, serve: Serve, tmp_path: Path) -> None:
    """A diff that leads out of the checkout; people are told why."""
    await serve("reviewer", "--no-model", "--checkout", str(tmp_path))
    result = await asked(antiphon_server, "reviewer", one_file("../x.py", "x"))
    assert result.state == TURN_STATE_FAILED
    assert result.error is not None
    assert "not a plain one within the checkout" in str(result.error)
    result = await asked(antiphon_server, "reviewer", "Hello")
    assert "I review unified diffs" in result.text


async def test_who_may_not_serve_is_told(antiphon_server: Server) -> None:
    """And tries no longer."""
    key = await invited(antiphon_server, "researcher")
    process = await started(antiphon_server, key, "calculator")
    assert "HANDLER_NOT_ALLOWED" in await first_line(process)
    assert await process.wait() == 1
