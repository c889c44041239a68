import asyncio
import os
import sys
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

import pytest
from experts.researcher.citations import task
from experts.researcher.library import Library

from antiphon.auth.v1.access_pb2 import SCOPE_WORK
from antiphon_client.testing import Server

pytest_plugins = ["antiphon_client.testing.fixtures"]

HERE = Path(__file__).parent
START_S = 60.0
MASTS = "How many masts has a ketch?"
Serve = Callable[..., Awaitable[Process]]


@pytest.fixture(scope="session")
def boats(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Documents for the researcher."""
    folder = tmp_path_factory.mktemp("boats")
    (folder / "boats.md").write_text(
        "# Boats\n\nA sloop has one mast.\n\n## Ketches\n\nTwo masts.\n"
    )
    return folder


@pytest.fixture(scope="session")
def antiphon_answers(boats: Path) -> dict[str, str]:
    """What the model says to the researcher; what others ask it repeats."""
    asked = task(MASTS, Library(boats).search(MASTS))
    return {asked: "A ketch has two [1], a schooner more [7]."}


@pytest.fixture
async def serve(antiphon_server: Server) -> AsyncIterator[Serve]:
    """Start an expert as people do: ``serve("calculator", *options)``; returns when it is there."""
    processes: list[Process] = []

    async def serve(name: str, *options: str) -> Process:
        process = await started(
            antiphon_server, await invited(antiphon_server, name), name, *options
        )
        processes.append(process)
        said = await first_line(process)
        assert said.startswith("connected"), said
        return process

    yield serve
    for process in processes:
        if process.returncode is None:
            process.kill()
        await process.communicate()


async def started(server: Server, key: str, name: str, *options: str) -> Process:
    """An expert's process."""
    where = {"ANTIPHON_ADDRESS": server.address, "ANTIPHON_API_KEY": key}
    return await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", f"experts.{name}", *options),
        cwd=HERE,
        env={**os.environ, **where},
        stderr=PIPE,
    )


async def first_line(process: Process) -> str:
    """What it says first, on standard error."""
    assert process.stderr is not None
    async with asyncio.timeout(START_S):
        return (await process.stderr.readline()).decode()


async def invited(server: Server, handler: str) -> str:
    """The key that `antiphon workers invite` prints."""
    async with server.client() as client:
        users = {user.name: user async for user in client.list_users()}
        name = f"{handler}-worker"
        user = users.get(name) or await client.create_user(name, program=True)
        await client.allow_worker("global", handler, user.user_id)
        made = await client.new_api_key(name, scopes=[SCOPE_WORK], user_id=user.user_id)
        return made.secret
