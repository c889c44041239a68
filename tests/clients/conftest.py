from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

from tests.clients import examples
from tests.clients.examples import ALL, Example, Run
from tests.e2e.server import ServerProcess
from tests.proofs.bench.processes import free_port

WORDS = 50
GAP_MS = 20
MODEL = {
    "name": "scripted/count",
    "kind": "scripted",
    "model": "count",
    "script": {"deltas": WORDS, "gap_ms": GAP_MS},
}
WHOLE = " ".join(str(number) for number in range(1, WORDS + 1))
Start = Callable[..., Awaitable[Run]]


def marked(example: Example) -> Any:
    """An example as a parameter, which is skipped where a program is missing."""
    return pytest.param(example, marks=pytest.mark.needs(*example.needs), id=example.folder)


# What builds a program is given its own time, and none of a test's.
BUILDING = pytest.mark.timeout(func_only=True)


@pytest.fixture(scope="session", params=[marked(example) for example in ALL])
def example(request: pytest.FixtureRequest) -> Example:
    """Each language in turn."""
    found: Example = request.param
    return found


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def built(example: Example, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The example, built; what is compiled stands in the folder returned."""
    out = tmp_path_factory.mktemp("examples")
    await examples.build(example, out)
    return out


@dataclass(frozen=True, slots=True)
class Served:
    """A server, and Envoy before it."""

    server: ServerProcess
    envoy_port: int


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def served(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Served]:
    """One server for all, with a model that counts slowly."""
    home, port = tmp_path_factory.mktemp("server"), free_port()
    variables = {"ANTIPHON_WEB": "true", "ANTIPHON_WEB_PORT": str(port)}
    async with ServerProcess(home, models=[MODEL], variables=variables) as server:
        yield Served(server, port)


@pytest_asyncio.fixture
async def start(built: Path, example: Example) -> AsyncIterator[Start]:
    """Start the example: ``start(variables, question, *options)``."""
    runs: list[Run] = []

    async def start(variables: dict[str, str], question: str, *options: str) -> Run:
        run = await examples.start(example, built, variables, question, *options)
        runs.append(run)
        return run

    yield start
    for run in runs:
        await run.kill()
