"""What the README says of grpcurl works as printed."""

import asyncio
from pathlib import Path

import pytest

from tests.e2e import readme
from tests.e2e.readme import Ran
from tests.e2e.server import ServerProcess

DEADLINE_EXCEEDED = 64 + 4  # how grpcurl exits with that status

pytestmark = pytest.mark.needs("grpcurl")


@pytest.fixture
async def ran(tmp_path: Path) -> list[Ran]:
    """The README's commands, run against a server on another port than the default one."""
    async with ServerProcess(tmp_path) as server:
        return await asyncio.to_thread(readme.run_beside, server, readme.commands("grpcurl"))


def one(ran: list[Ran], word: str) -> Ran:
    (found,) = (it for it in ran if word in it.command)
    return found


async def test_the_commands_work_as_printed(ran: list[Ran]) -> None:
    """Every command ends well, and Follow at its time limit; each prints what it should."""
    follow = one(ran, "EventService/Follow")
    assert follow.exit_code == DEADLINE_EXCEEDED, follow
    failed = [it for it in ran if it.exit_code and it is not follow]
    assert failed == []
    listed = one(ran, " list").output.split()
    assert "antiphon.dispatcher.v1.DispatcherService" in listed
    assert "grpc.health.v1.Health" in listed
    assert "rpc Dispatch" in one(ran, " describe ").output
    assert "SERVING" in one(ran, "Health/Check").output
    assert '"conversation_id": "conv_0123456789"' in one(ran, "/Dispatch").output
    assert '"TURN_STATE_RUNNING"' in one(ran, "/Dispatch").output
    for word in ("turn_started", "Hello there", "TURN_STATE_SUCCEEDED"):
        assert word in follow.output
