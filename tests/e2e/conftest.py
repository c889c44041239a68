from collections.abc import AsyncIterator

import grpc
import pytest
import pytest_asyncio

from antiphon_client import Client
from tests.e2e.callers import Caller, channel_to, operator, user
from tests.e2e.calls import Calls, new_conversation
from tests.e2e.server import ServerProcess, openai_model
from tests.fakes.openai_behaviour import MODES, Behaviour
from tests.fakes.openai_endpoint import FakeEndpoint

FAKE = "fake/ok"


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def endpoint() -> AsyncIterator[FakeEndpoint]:
    """The endpoint behind every model of ``server``."""
    async with FakeEndpoint(Behaviour(deltas=20, gap_ms=2)) as endpoint:
        yield endpoint


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def server(
    endpoint: FakeEndpoint, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[ServerProcess]:
    """A server for the tests of one file; its model ``fake/<mode>`` answers in that mode.

    It must not have logged an error in the end, whatever was done to it.
    """
    limits = {"first_byte_timeout_s": 0.5, "idle_timeout_s": 0.5}
    models = [
        openai_model(f"fake/{mode}", endpoint.base_url, **({} if mode == "ok" else limits))
        for mode in MODES
    ]
    async with ServerProcess(tmp_path_factory.mktemp("server"), models=models) as server:
        yield server
        assert server.defects == []


@pytest_asyncio.fixture(loop_scope="module")
async def client(server: ServerProcess) -> AsyncIterator[Client]:
    """A client of the local operator."""
    async with server.client() as client:
        yield client


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def channel(server: ServerProcess) -> AsyncIterator[grpc.aio.Channel]:
    """A bare channel to ``server``."""
    async with channel_to(server) as channel:
        yield channel


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def boss(server: ServerProcess) -> Caller:
    """The operator."""
    return await operator(server)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def anna(server: ServerProcess) -> Caller:
    """A user who is no operator."""
    return await user(server, "anna")


@pytest_asyncio.fixture(loop_scope="module")
async def call(channel: grpc.aio.Channel, boss: Caller) -> Calls:
    """The operator's calls about a new conversation."""
    return await new_conversation(channel, boss)
