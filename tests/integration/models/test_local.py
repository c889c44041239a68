"""The local model, for real: llama.cpp and the weights of the extra `local`."""

import asyncio
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import AsyncIterator
from pathlib import Path

import psutil
import pytest
import pytest_asyncio

from antiphon_server.integration.models.adapters.gguf import find_gguf
from antiphon_server.integration.models.adapters.local import LocalModel
from antiphon_server.integration.models.model import (
    FinishReason,
    ModelEnd,
    Part,
    Prompt,
    PromptMessage,
    PromptProgress,
    Role,
    ToolCall,
    ToolCallId,
    ToolDefinition,
)
from antiphon_server.integration.models.settings import ModelSettings, model_named
from antiphon_server.runtime.errors import DomainError, Reason
from antiphon_server.runtime.net.http_pool import HttpPool
from tests.e2e.refusals import Refused
from tests.e2e.until import until
from tests.integration.world import answer, asking

pytest.importorskip("xllamacpp", reason="the extra `local` is missing")

NAME = "local/smollm2-135m"
# The second one's schema has what llama.cpp makes no grammar of.
TOOLS = (
    ToolDefinition(
        "antiphon.time",
        "The time in a time zone.",
        '{"type": "object", "properties": {"zone": {"type": "string"}}}',
    ),
    ToolDefinition(
        "files.find",
        "Finds files.",
        '{"type": "object", "properties": {"name": {"pattern": "^(?!x)\\\\p{L}"}}}',
    ),
)


def said(role: Role, text: str) -> PromptMessage:
    return PromptMessage(role, (Part("text", text),))


@pytest.fixture
async def local(pool: HttpPool) -> AsyncIterator[LocalModel]:
    model = LocalModel(model_named(NAME), pool)
    yield model
    await model.close()


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def running() -> AsyncIterator[LocalModel]:
    """One that runs for all tests that leave it so, and tells each step of its reading."""
    pool = HttpPool()
    model = LocalModel(model_named(NAME), pool, progress_every_s=0.0)
    yield model
    await model.close()
    await pool.close()


def processes(*but: psutil.Process) -> list[psutil.Process]:
    """The model's processes that are children of this one, but for these."""
    return [
        child
        for child in psutil.Process().children()
        if any("llama_process" in word for word in child.cmdline()) and child not in but
    ]


@pytest.mark.asyncio(loop_scope="module")
async def test_it_knows_the_capital_of_france(running: LocalModel) -> None:
    """A streamed answer, with the provider's own token counts."""
    steps = [step async for step in running.generate(asking())]
    text = "".join(step for step in steps if isinstance(step, str))
    end = steps[-1]
    assert text.endswith(" Paris.")  # and no word more, as README shows it
    assert len(steps) > 3
    assert isinstance(end, ModelEnd)
    assert end.reason is FinishReason.STOP
    assert end.tokens is not None
    assert end.tokens.input > 20


@pytest.mark.asyncio(loop_scope="module")
async def test_it_does_not_go_round_in_circles(running: LocalModel) -> None:
    """What has no end by itself makes a small model say the same lines until it is stopped."""
    text, end = await answer(running, asking("write a short poem", limit=512))
    assert end.reason is FinishReason.STOP
    words = text.split()
    runs = [tuple(words[at : at + 6]) for at in range(len(words) - 5)]
    assert len(runs) > 20
    assert len(set(runs)) > 0.9 * len(runs)


@pytest.mark.asyncio(loop_scope="module")
async def test_it_tells_how_far_it_has_read_a_long_prompt(running: LocalModel) -> None:
    """So nobody takes it for silent, and the deadline of a first byte is that of each step."""
    prompt = asking("all work and no play " * 110, limit=1)
    steps = [step async for step in running.generate(prompt)]
    told = [step for step in steps if isinstance(step, PromptProgress)]
    assert len(told) >= 3
    assert [step.read_tokens for step in told] == sorted({step.read_tokens for step in told})
    assert all(step.read_tokens <= step.total_tokens == told[0].total_tokens for step in told)
    assert isinstance(steps[-1], ModelEnd)


@pytest.mark.asyncio(loop_scope="module")
async def test_it_calls_a_tool(running: LocalModel) -> None:
    """By its name, with arguments that are JSON, where it has seen how."""
    past = ToolCall(ToolCallId("tool_1"), "antiphon.time", '{"zone": "Europe/Paris"}')
    messages = (
        said("user", "What time is it in Paris?"),
        PromptMessage("assistant", (), (past,)),
        PromptMessage("user", (Part("text", '{"time": "08:29"}'),), answers=past.call_id),
        said("assistant", "It is 8:29."),
        said("user", "What time is it in Berlin?"),
    )
    *steps, end = [it async for it in running.generate(Prompt(messages, 128, tools=TOOLS))]
    (call,) = [it for it in steps if isinstance(it, ToolCall)]
    assert (call.tool, json.loads(call.arguments)) == ("antiphon.time", {"zone": "Europe/Berlin"})
    assert not [it for it in steps if isinstance(it, str)]
    assert isinstance(end, ModelEnd)
    assert end.reason is FinishReason.TOOL_CALLS
    assert await running.count(messages) > 50  # type: ignore[operator]


@pytest.mark.asyncio(loop_scope="module")
@pytest.mark.parametrize(
    "text",
    [
        "What is the capital of France?",
        "What time is it in Tokyo?",
        'Say: {"name": "antiphon__time", "arguments": {"zone": "UTC"}}',
        "Say: {",
        "Call all your tools.",
    ],
)
async def test_with_tools_an_answer_ends_well(running: LocalModel, text: str) -> None:
    """In text or in whole calls of tools that it has, though it hardly knows what these are."""
    *steps, end = [
        it async for it in running.generate(Prompt((said("user", text),), 96, tools=TOOLS))
    ]
    assert isinstance(end, ModelEnd)
    calls = [it for it in steps if isinstance(it, ToolCall)]
    assert calls or any(isinstance(it, str) for it in steps)
    assert {it.tool for it in calls} <= {it.name for it in TOOLS}
    assert all(isinstance(json.loads(it.arguments), dict) for it in calls)


async def test_one_process_serves_all_calls_and_ends_at_close(local: LocalModel) -> None:
    """It is started by the first call, once, and gone after close."""
    others = processes()
    answers = await asyncio.gather(*(answer(local, asking(limit=8)) for _ in range(4)))
    assert all(text for text, _ in answers)
    assert len(processes(*others)) == 1
    await local.close()
    assert processes() == others


@pytest.mark.asyncio(loop_scope="module")
async def test_it_counts_tokens_exactly(running: LocalModel) -> None:
    """As many as the model then says it read."""
    prompt = asking("How many tokens are these?", limit=1)
    _, end = await answer(running, prompt)
    assert end.tokens is not None
    assert await running.count(prompt.messages) == end.tokens.input


async def test_it_comes_back_after_a_crash(local: LocalModel) -> None:
    """The next call starts it again."""
    others = processes()
    await answer(local, asking(limit=2))
    (before,) = processes(*others)
    before.kill()
    await until(local._server._failed)
    text, _ = await answer(local, asking(limit=2))
    assert text


@pytest.mark.asyncio(loop_scope="module")
async def test_it_listens_to_nobody_without_its_key(running: LocalModel) -> None:
    """Other programs of this machine can't use it."""
    import aiohttp

    await answer(running, asking(limit=1))
    (process,) = processes()
    ports = [one.laddr.port for one in process.net_connections() if one.status == "LISTEN"]
    url = f"http://127.0.0.1:{ports[0]}/v1/chat/completions"
    async with aiohttp.ClientSession() as session, session.post(url, json={}) as response:
        assert response.status == 401


@pytest.mark.asyncio(loop_scope="module")
async def test_cancelling_frees_the_model(running: LocalModel) -> None:
    """A long answer that was stopped does not hold up the next."""
    begun = time.monotonic()
    await answer(running, asking(limit=4))
    alone = time.monotonic() - begun
    task = asyncio.create_task(answer(running, asking("Tell me a long story.", limit=3000)))
    await asyncio.sleep(1.5)
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    begun = time.monotonic()
    await answer(running, asking(limit=4))
    assert time.monotonic() - begun < 15 + 5 * alone  # of 3000 words it would be 100 times


def test_it_dies_with_its_parent(tmp_path: Path) -> None:
    """Even when that is killed."""
    code = f"""
import asyncio
from antiphon_server.integration.models.adapters.llama_server import LlamaServer
async def main():
    server = LlamaServer("{NAME}", "", 512)
    await server.address()
    print(server._process.pid, flush=True)
    await asyncio.sleep(60)
asyncio.run(main())
"""
    parent = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True)
    assert parent.stdout is not None
    child = psutil.Process(int(parent.stdout.readline()))
    os.kill(parent.pid, signal.SIGKILL)
    parent.wait(5)
    assert psutil.wait_procs([child], timeout=5)[0]


async def test_a_file_that_is_not_there_is_not_found() -> None:
    """With what is missing."""
    with Refused(Reason.MODEL_NOT_FOUND) as raised:
        find_gguf(NAME, "/no/such/model.gguf")
    assert raised.error.metadata["model"] == NAME


async def test_a_file_that_is_no_model_is_unavailable(tmp_path: Path, pool: HttpPool) -> None:
    """The process ends, and says so in the log only."""
    bad = tmp_path / "bad.gguf"
    bad.write_bytes(b"GGUF" + b"\0" * 100)
    others = processes()
    model = LocalModel(ModelSettings(name=NAME, kind="local", gguf=str(bad)), pool)
    with Refused(Reason.MODEL_UNAVAILABLE):
        await answer(model)
    assert processes() == others
    await model.close()


def test_a_missing_extra_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    """Rather than failing with an import error."""
    monkeypatch.setitem(sys.modules, "xllamacpp", None)
    monkeypatch.delitem(sys.modules, "xllamacpp")
    monkeypatch.setattr(sys, "path", [])
    monkeypatch.setattr(sys, "meta_path", [])
    with pytest.raises(DomainError) as raised:
        find_gguf(NAME, "")
    assert raised.value.metadata["install"] == "antiphon[local]"
