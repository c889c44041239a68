"""What is said of services that have not come yet, and of those that have been there."""

import asyncio
import contextlib
import logging
from collections.abc import AsyncIterator, Coroutine
from contextlib import asynccontextmanager
from typing import Any

import grpc
import pytest

from antiphon.auth.v1.auth_service_pb2_grpc import AuthServiceStub
from antiphon_server.auth.adapters.server_secret import MasterSecret
from antiphon_server.auth.adapters.service_identity import ServiceIdentity
from antiphon_server.mesh.instances import Announced, Key
from antiphon_server.mesh.model import Address
from antiphon_server.mesh.registration import Registration
from antiphon_server.runtime.concurrency.retry import RetryPolicy
from antiphon_server.runtime.rpc.health import Health
from antiphon_server.runtime.rpc.peers import PeerHealth
from tests.e2e.until import until
from tests.proofs.bench.processes import free_port
from tests.runtime.events_service import healthy

HOST, WITHIN_S = "127.0.0.1", 10.0


@pytest.fixture(autouse=True)
def listening(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, "antiphon_server")


@asynccontextmanager
async def during(work: Coroutine[Any, Any, None]) -> AsyncIterator[None]:
    """It runs for the time of the block."""
    task = asyncio.create_task(work)
    try:
        yield
    finally:
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task


async def said(caplog: pytest.LogCaptureFixture, words: str) -> str:
    """The level at which it is, when it is."""
    async with asyncio.timeout(WITHIN_S):
        while True:
            for record in caplog.records:
                if words in record.getMessage():
                    return record.levelname
            await asyncio.sleep(0.02)


async def noted(here: Health, *, serves: bool) -> None:
    """When the peer's health stands in this process's."""
    await until(lambda: here.parts.get("peer.context") is serves, WITHIN_S)


async def test_a_peer_is_back_only_if_it_was_there(caplog: pytest.LogCaptureFixture) -> None:
    """Who comes at last is no event; who goes is a warning, and its return is not."""
    port, here = free_port(), Health()
    options = [("grpc.max_reconnect_backoff_ms", 100), ("grpc.use_local_subchannel_pool", 1)]
    async with grpc.aio.insecure_channel(f"{HOST}:{port}", options=options) as channel:
        follower = PeerHealth("context", "", channel, here)
        async with during(follower.run()):
            await noted(here, serves=False)
            async with healthy(port):
                await noted(here, serves=True)
                assert not caplog.records
            assert await said(caplog, "the service context is away") == "WARNING"
            async with healthy(port):
                assert await said(caplog, "the service context is back") == "INFO"


async def test_a_registry_that_has_not_come_is_waited_for(caplog: pytest.LogCaptureFixture) -> None:
    """That it does not answer yet is no warning."""
    announced = Announced(Key("events", "node"), Address(HOST, 1))
    async with grpc.aio.insecure_channel(f"{HOST}:{free_port()}") as channel:
        registration = Registration(
            channel, {"events": lambda: announced}, {"events": lambda: "statement"}
        )
        registration.begin()
        async with during(registration.run()):
            assert await said(caplog, "the registry does not answer: ") == "INFO"


async def test_an_auth_that_has_not_come_is_waited_for(caplog: pytest.LogCaptureFixture) -> None:
    """That a service can't sign in yet is no warning."""
    async with grpc.aio.insecure_channel(f"{HOST}:{free_port()}") as channel:
        secret, soon = MasterSecret(b"x" * 32), RetryPolicy(0.01)
        identity = ServiceIdentity("mesh", secret, AuthServiceStub(channel), policy=soon)
        async with during(identity.run()):
            assert await said(caplog, "the service mesh can't sign in yet") == "INFO"
