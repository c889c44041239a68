"""``antiphon workers deployments`` and ``rollout``."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from antiphon_client import ApiKey
from antiphon_client.worker import Work, Worker
from tests.cli.conftest import Run
from tests.e2e.until import PATIENCE_S


async def _answer(work: Work) -> None:
    await work.write("ready")


async def _rows(antiphon: Run, many: int) -> list[str]:
    """The table of deployments, when it has so many rows."""
    async with asyncio.timeout(PATIENCE_S):
        while True:
            shown = await asyncio.to_thread(antiphon, "workers", "deployments")
            rows = shown.stdout.splitlines()[1:]
            if len(rows) == many:
                return rows


@asynccontextmanager
async def _versions(antiphon: Run, *versions: str) -> AsyncIterator[None]:
    """A worker of each, in the order in which they come."""
    printed = await asyncio.to_thread(antiphon, "workers", "invite", "pilot", "--new-key")
    told = dict(line.split("=", 1) for line in printed.stdout.splitlines())
    address, key = told["ANTIPHON_ADDRESS"], ApiKey(told["ANTIPHON_API_KEY"])
    running = []
    try:
        for at, version in enumerate(versions, 1):
            worker = Worker("pilots", version=version, address=address, credentials=key)
            worker.handler("pilot")(_answer)
            running.append((worker, asyncio.create_task(worker.run(signals=False))))
            await _rows(antiphon, at)
        yield
    finally:
        for worker, task in running:
            worker.stop(0)
            await task


async def test_versions_are_listed_and_rolled_out(antiphon: Run) -> None:
    """The newest begins turns by itself; what is set is said, listed, audited and taken back."""
    async with _versions(antiphon, "1.4", "1.5"):

        async def roll_out(*arguments: str) -> str:
            made = await asyncio.to_thread(antiphon, "workers", "rollout", "pilots", *arguments)
            assert made.returncode == 0, made.stderr
            return made.stderr.strip()

        newer, older = await _rows(antiphon, 2)
        assert newer.split()[:2] == ["pilots", "1.5"]
        assert "all: it is the newest" in newer
        assert "none: draining" in older
        said = await roll_out("--current", "1.4", "--ramping", "1.5", "--percent", "10")
        assert said == "1.4 of pilots begins new turns, 1.5 10 % of them."
        newer, older = await _rows(antiphon, 2)
        assert (" 10 % " in newer, " 90 % " in older) == (True, True)
        assert await roll_out("--current", "1.4") == "1.4 of pilots begins new turns."
        assert "all: set" in (await _rows(antiphon, 2))[1]
        assert await roll_out("--automatic") == "The newest version of pilots begins new turns."
        assert "all: it is the newest" in (await _rows(antiphon, 2))[0]
        told = await asyncio.to_thread(antiphon, "audit", "tail", "--kind", "rollout_set")
        assert [it.split()[3] for it in told.stdout.splitlines()] == ["rollout_set"] * 3


@pytest.mark.parametrize(
    ("arguments", "why"),
    [
        ((), "say either --current VERSION or --automatic"),
        (("--current", "1", "--automatic"), "say either --current VERSION or --automatic"),
        (("--current", "1", "--ramping", "2"), "go together"),
        (("--current", "1", "--percent", "2"), "go together"),
        (("--automatic", "--percent", "2", "--ramping", "3"), "go together"),
        (("--current", "1"), "there is no deployment nothing"),
    ],
)
def test_what_cannot_be_is_refused(antiphon: Run, arguments: tuple[str, ...], why: str) -> None:
    """In words."""
    refused = antiphon("workers", "rollout", "nothing", *arguments)
    assert refused.returncode in (1, 2)
    assert why in refused.stderr


def test_where_no_deployment_is_there_it_is_said(antiphon: Run) -> None:
    """Of a workspace of one's own."""
    shown = antiphon("workers", "deployments", "--workspace", "ws_00000000")
    assert shown.returncode == 1
    assert "there is no ws_00000000" in shown.stderr
