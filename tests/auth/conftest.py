import tempfile
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack
from pathlib import Path

import grpc
import pytest

from antiphon.auth.v1 import auth_service_pb2_grpc
from antiphon_server.auth.compose.whole import auth_servicer
from antiphon_server.runtime.channels.local_channel import LocalServer
from antiphon_server.runtime.net.addresses import Callers
from antiphon_server.runtime.rpc.interceptors.access import AccessInterceptor
from antiphon_server.runtime.rpc.interceptors.address import AddressInterceptor
from antiphon_server.runtime.rpc.interceptors.authentication import AuthenticationInterceptor
from antiphon_server.runtime.rpc.interceptors.errors import ErrorInterceptor
from antiphon_server.runtime.rpc.interceptors.validation import ValidationInterceptor
from tests.auth.acts import PROVIDER, Scene
from tests.auth.api import Api
from tests.auth.world import World, contents, open_world
from tests.fakes.databases import IN_MEMORY, KINDS, opened_database
from tests.fakes.fixed_roles import FixedRoles

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
    world = await open_world(tmp_path)
    await world.auth.greet()
    interceptors = [
        ErrorInterceptor(),
        AddressInterceptor(Callers()),
        AuthenticationInterceptor(world.auth.verifier),
        ValidationInterceptor(),
        AccessInterceptor(FixedRoles()),
    ]
    local = request.param == "local"
    server = LocalServer(interceptors) if local else grpc.aio.server(interceptors=interceptors)
    auth_service_pb2_grpc.add_AuthServiceServicer_to_server(auth_servicer(world.auth), server)
    if isinstance(server, LocalServer):
        channel: grpc.aio.Channel = server.channel()
    else:
        port = server.add_insecure_port("127.0.0.1:0")
        await server.start()
        channel = grpc.aio.insecure_channel(f"127.0.0.1:{port}")
    operator_key = contents(tmp_path, "operator.key").decode().strip()
    yield Api(world, channel, operator_key, sockets=not local, data_dir=tmp_path)
    await channel.close()
    await server.stop(0)
    await world.close()
