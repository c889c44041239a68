import tempfile
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack
from pathlib import Path

import pytest

from tests.auth.acts import PROVIDER, Scene
from tests.auth.api import Api, served
from tests.auth.world import World, open_world
from tests.fakes.databases import IN_MEMORY, KINDS, opened_database

# Where it matters what two transactions do to each other: `--all-on-postgres` takes all.
ON_POSTGRES = {"test_passwords", "test_refresh"}


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Run what asks for a world on each kind of store."""
    if "world" in metafunc.fixturenames:
        name = metafunc.module.__name__.rpartition(".")[2]
        chosen = name in ON_POSTGRES or metafunc.config.getoption("--all-on-postgres", False)
        metafunc.parametrize("world", KINDS if chosen else ["sqlite"], indirect=True)


@pytest.fixture
def tmp_path() -> Iterator[Path]:
    """A folder in memory: no rule is shown by a commit that waits for a disk."""
    with tempfile.TemporaryDirectory(prefix="antiphon-", dir=IN_MEMORY) as folder:
        yield Path(folder)


@pytest.fixture
async def world(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[World]:
    """The auth service on a store of the kind."""
    async with AsyncExitStack() as stack:
        given = None
        if request.param == "postgres":
            given = await stack.enter_async_context(opened_database(request, tmp_path))
        opened = await open_world(tmp_path, database=given)
        stack.push_async_callback(opened.close)
        yield opened


@pytest.fixture
async def scene(tmp_path: Path) -> AsyncIterator[Scene]:
    """Somebody who has one of all that can be acted on."""
    made = Scene()
    await made.set_up(await open_world(tmp_path, identity_providers=[PROVIDER]))
    yield made
    await made.world.close()


@pytest.fixture(params=["local", "sockets"])
async def api(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Api]:
    """The service with its interceptors, as one process serves it."""
    world, local = await open_world(tmp_path), request.param == "local"
    await world.auth.greet()
    operator_key = (tmp_path / "operator.key").read_text().strip()
    async with served(world, local=local) as channel:
        yield Api(world, channel, operator_key, not local, tmp_path)
    await world.close()
