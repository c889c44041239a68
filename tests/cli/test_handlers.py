"""``antiphon handlers``: who can answer, there or away, and what is for them."""

import asyncio
import json

import pytest

from antiphon_client import ApiKey
from antiphon_client.worker import Work, Worker
from tests.cli.conftest import Run
from tests.e2e.until import until_it

ABOUT, EXAMPLE = "Reviews code.", "Is this \x1b[31mright?"


def _rows(antiphon: Run, *arguments: str) -> dict[str, list[str]]:
    """The cells of each handler's row but those of what it does, which has spaces."""
    shown = antiphon("handlers", *arguments)
    assert shown.returncode == 0, shown.stderr
    return {it.split()[0]: it.split() for it in shown.stdout.splitlines() if it}


def test_the_servers_own_are_there_and_the_default_is_named(antiphon: Run) -> None:
    shown = antiphon("handlers")
    heading, *rows = shown.stdout.splitlines()
    assert heading.split()[:2] == ["handler", "now"]
    assert {it.split()[0]: it.split()[1] for it in rows}["echo"] == "there"
    assert "Repeats the message word by word" in shown.stdout
    assert shown.stderr.startswith("assistant answers where nobody names one")


@pytest.fixture
def reviewer(antiphon: Run, address: str) -> Worker:
    """A worker that is not there yet."""
    invited = json.loads(antiphon("workers", "invite", "reviewer", "--new-key", "--json").stdout)
    worker = Worker("reviewer", address=address, credentials=ApiKey(invited["ANTIPHON_API_KEY"]))

    @worker.handler("reviewer", description=ABOUT, examples=[EXAMPLE])
    async def review(work: Work) -> None:
        await work.write("fine")

    return worker


async def test_one_of_workers_is_away_until_one_is_there(antiphon: Run, reviewer: Worker) -> None:
    """It says what it does and what is for it; examples command no terminal."""
    away = await asyncio.to_thread(_rows, antiphon)
    assert away["reviewer"][1:3] == ["away", "workers"]
    running = asyncio.create_task(reviewer.run(signals=False))

    async def there() -> bool:
        rows = await asyncio.to_thread(_rows, antiphon)
        return rows["reviewer"][1:] == ["there", "workers", "1", *ABOUT.split()]

    try:
        await until_it(there)
        listed = await asyncio.to_thread(antiphon, "handlers", "--examples")
        told = await asyncio.to_thread(antiphon, "handlers", "--json")
    finally:
        running.cancel()
        await asyncio.wait({running})
    assert listed.stdout.splitlines()[-2:] == ["reviewer:", "  Is this  [31mright?"]
    found = {it["name"]: it for it in map(json.loads, told.stdout.splitlines())}
    assert found["reviewer"]["examples"] == [EXAMPLE]


def test_a_workspaces_own_are_listed_for_it_alone(antiphon: Run) -> None:
    assert antiphon("chat", "--once", "hello").returncode == 0
    found = json.loads(antiphon("conversations", "--json").stdout.splitlines()[0])
    where = ("--workspace", found["workspace_id"])
    assert antiphon("workers", "invite", "ours", *where).returncode == 0
    assert "ours" in _rows(antiphon, *where)
    assert "ours" not in _rows(antiphon)
    assert antiphon("handlers", "--workspace", "ws_nobody00001").returncode == 1
