"""Routes on the pages: those of a real server, with experts that dial in."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from google.protobuf.json_format import Parse

from antiphon.auth.v1.access_pb2 import SCOPE_WORK
from antiphon.dispatcher.v1.route_service_pb2 import SetRoutesRequest
from antiphon_client import ApiKey
from antiphon_client.worker import Work, Worker
from tests.e2e.server import ServerProcess
from tests.e2e.until import until_it
from tests.fakes.openai_behaviour import Behaviour
from tests.fakes.openai_endpoint import FakeEndpoint
from tests.proofs.bench.processes import free_port
from tests.web.control import Control, Wish, wishes_of
from tests.web.vitest import IN_A_BROWSER, passes

EXPERTS = {
    "invoices": ["Where is the invoice of this month?", "I have paid an invoice twice"],
    "travel": ["Book me a train to Lisbon", "Which hotel is near the station?"],
}


@asynccontextmanager
async def _experts(server: ServerProcess) -> AsyncIterator[None]:
    """They serve all workspaces."""
    async with server.client() as client:
        program = await client.create_user("experts", program=True)
        for handler in EXPERTS:
            await client.allow_worker("global", handler, program.user_id)
        made = await client.new_api_key("experts", scopes=[SCOPE_WORK], user_id=program.user_id)
        worker = Worker("experts", address=server.address, credentials=ApiKey(made.secret))
        for handler, examples in EXPERTS.items():
            worker.handler(handler, examples=examples)(_answers(handler))
        running = asyncio.create_task(worker.run(signals=False))

        async def serves() -> bool:
            return bool([it async for it in client.list_workers("global")])

        try:
            await until_it(serves)
            yield
        finally:
            worker.stop(0)
            await running


def _answers(handler: str) -> Callable[[Work], Awaitable[None]]:
    async def answer(work: Work) -> None:
        await work.write(f"{handler} has it")

    return answer


def _routes(server: ServerProcess) -> dict[str, Wish]:
    async def route(told: str) -> str:
        """Set a parent's routes, by the operator."""
        asked = Parse(told, SetRoutesRequest())
        async with server.client() as client:
            await client.set_routes(asked.parent, asked.rules, comment=asked.comment)
        return ""

    return {"route": route}


@pytest.mark.needs(*IN_A_BROWSER)
async def test_what_is_seen_of_routes(tmp_path: Path) -> None:
    """Each test of `clients/web/tests/routes.test.ts` passes."""
    port = free_port()
    variables = {"ANTIPHON_WEB": "true", "ANTIPHON_WEB_PORT": str(port)}
    async with (
        FakeEndpoint(Behaviour()) as endpoint,
        ServerProcess(tmp_path / "server", variables=variables) as server,
        _experts(server),
        Control(wishes_of(server, endpoint) | _routes(server)) as control,
    ):
        await passes("routes", f"http://127.0.0.1:{port}", control, tmp_path)
        assert server.defects == []
