"""`antiphon up --mesh` heeds who ends it while it starts."""

import asyncio
import signal
import socket
from contextlib import ExitStack
from pathlib import Path

import psutil
import pytest

from tests.e2e.process import COMMAND
from tests.e2e.until import SOON_S
from tests.proofs.bench.processes import ROOT, environment


@pytest.mark.parametrize("awaited", ["Postgres", "name"])
async def test_a_server_ends_before_it_is_up(tmp_path: Path, awaited: str) -> None:
    """It waits for a Postgres that is silent, or for its name to be known, and ends at once."""
    with socket.create_server(("127.0.0.1", 0)) as silent, ExitStack() as held:
        url = f"postgresql://nobody@127.0.0.1:{silent.getsockname()[1]}/none"
        named = {"ANTIPHON_REGISTRY": "127.0.0.1:1", "ANTIPHON_NODE_ADDRESS": "server.invalid:1"}
        variables = {"ANTIPHON_DATABASE_URL": url} if awaited == "Postgres" else named
        process = await asyncio.create_subprocess_exec(
            *(*COMMAND, "up", "--port", "0", "--admin-port", "0"),
            *("--data-dir", str(tmp_path / "data"), "--model", "scripted/test"),
            cwd=ROOT,
            env=environment(variables),
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
        )
        assert process.stdout is not None
        try:
            async with asyncio.timeout(60):
                if awaited == "Postgres":
                    caller, said = (await asyncio.to_thread(silent.accept))[0], b""
                    held.enter_context(caller)
                else:
                    said = await process.stdout.readuntil(b"waiting until server.invalid is known")
            process.send_signal(signal.SIGTERM)
            async with asyncio.timeout(SOON_S):
                said += await process.stdout.read()
                await process.wait()
        finally:
            if process.returncode is None:
                process.kill()
            await asyncio.wait_for(process.wait(), 60)
    assert process.returncode == 0, said.decode()
    assert b"serves on" not in said


@pytest.mark.parametrize("part", ["Postgres", "servers"])
async def test_it_ends_before_it_is_up(tmp_path: Path, part: str) -> None:
    """A server waits for a Postgres that is silent, or one is being set up: it ends all the same.

    It ends as it does after it was up, leaves nobody behind, and never says that it serves.
    """
    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = f"postgresql://nobody@127.0.0.1:{silent.getsockname()[1]}/none"
        variables = {"ANTIPHON_DATABASE_URL": url} if part == "servers" else {}
        process = await asyncio.create_subprocess_exec(
            *(*COMMAND, "up", "--mesh", "--replicas", "2", "--port", "0"),
            *("--data-dir", str(tmp_path / "data"), "--model", "scripted/test"),
            cwd=ROOT,
            env=environment(variables),
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
        )
        assert process.stdout is not None
        try:
            async with asyncio.timeout(60):
                said = await process.stdout.readuntil(f"{part}: starting\n".encode())
            started = psutil.Process(process.pid).children(recursive=True)
            process.send_signal(signal.SIGTERM)
            async with asyncio.timeout(60):
                said += await process.stdout.read()
                await process.wait()
        finally:
            if process.returncode is None:
                process.terminate()
            await asyncio.wait_for(process.wait(), 60)
    assert process.returncode == 0, said.decode()
    assert b"serves on" not in said
    assert b"servers: 2 of 2" not in said
    assert not any(each.is_running() for each in started)
