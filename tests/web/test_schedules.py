"""Schedules on the pages: those of a real server."""

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from antiphon.dispatcher.v1.schedule_pb2 import Cron
from tests.e2e.server import ServerProcess
from tests.fakes.openai_behaviour import Behaviour
from tests.fakes.openai_endpoint import FakeEndpoint
from tests.proofs.bench.processes import free_port
from tests.web.control import Control, Wish, wishes_of
from tests.web.vitest import IN_A_BROWSER, passes


def _schedules(server: ServerProcess) -> dict[str, Wish]:
    async def schedule(told: str) -> str:
        """Make one, by the operator, in a new conversation; archive that if it says so."""
        wish = json.loads(told)
        soon = datetime.now(UTC) + timedelta(seconds=1)
        cron = wish.get("cron")
        when = Cron(expression=cron["expression"], time_zone=cron["timeZone"]) if cron else soon
        async with server.client() as client:
            where = (await client.create_conversation(title=wish["text"])).conversation_id
            made = await client.create_schedule(where, wish["text"], when, handler="echo")
            if wish.get("archive"):
                await client.archive_conversation(where)
        return made.schedule_id

    return {"schedule": schedule}


@pytest.mark.needs(*IN_A_BROWSER)
async def test_what_is_seen_of_schedules(tmp_path: Path) -> None:
    """Each test of `clients/web/tests/schedules.test.ts` passes."""
    port = free_port()
    variables = {"ANTIPHON_WEB": "true", "ANTIPHON_WEB_PORT": str(port)}
    async with (
        FakeEndpoint(Behaviour()) as endpoint,
        ServerProcess(tmp_path / "server", variables=variables) as server,
        Control(wishes_of(server, endpoint) | _schedules(server)) as control,
    ):
        await passes("schedules", f"http://127.0.0.1:{port}", control, tmp_path)
        assert server.defects == []
