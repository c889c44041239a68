"""docs/guides/clients.md, typed in as it stands."""

import asyncio
from pathlib import Path

import pytest
import pytest_asyncio

from tests.clients.conftest import BUILDING, Served
from tests.clients.examples import Example
from tests.e2e import readme
from tests.e2e.readme import Ran
from tests.proofs.bench.processes import ROOT

pytestmark = BUILDING
GUIDE = ROOT / "docs" / "guides" / "clients.md"
ENDED_BY_LIMIT = 64 + 4  # how grpcurl exits with DEADLINE_EXCEEDED,
CUT_AT_LIMIT = 64 + 13  # with INTERNAL, where Envoy's clock was ahead of its own,
NOT_FOUND = 64 + 5  # and with that


async def typed(served: Served, port: int, *marks: str, contracts: str = "") -> list[Ran]:
    """Run blocks in one shell, against a server on another port than the default one."""
    lines = [line for mark in marks for line in readme.commands(mark, GUIDE)]
    block = [f"cd {ROOT}", *lines]
    return await asyncio.to_thread(
        readme.run_beside, served.server, block, port, CONTRACTS=contracts
    )


@pytest_asyncio.fixture
async def all_contracts(tmp_path: Path) -> Path:
    """What the command for tools that don't know buf has written."""
    file = tmp_path / "antiphon.binpb"
    (command,) = readme.commands("descriptors", GUIDE)
    lines = [f"cd {ROOT}", command.replace(file.name, str(file))]
    ran = await asyncio.to_thread(readme.run, lines, {})
    assert [it for it in ran if it.exit_code] == []
    return file


async def test_the_examples_run_as_printed(served: Served, built: Path, example: Example) -> None:
    """What is typed builds an example and asks; the cut that was asked for is survived."""
    ran = await typed(served, served.server.port, "credential", example.folder)
    assert [it for it in ran if it.exit_code] == []
    assert "resuming after event" in ran[-1].output
    assert "TURN_STATE_SUCCEEDED" in ran[-1].output
    assert "connections 2" in ran[-1].output


@pytest.mark.needs("grpcurl")
@pytest.mark.parametrize("way", ["directly", "through Envoy"])
async def test_grpcurl(served: Served, all_contracts: Path, way: str) -> None:
    """The recipes work as printed, on the server's port and on Envoy's."""
    port, contracts = served.server.port, ""
    if way == "through Envoy":
        port, contracts = served.envoy_port, f"-protoset {all_contracts}"
    blocks = ("grpcurl", "grpcurl-converse", "grpcurl-after")
    ran = await typed(served, port, *blocks, contracts=contracts)
    codes = [it.exit_code for it in ran if it.exit_code]
    assert len(codes) == 3, ran
    assert set(codes[:2]) <= {ENDED_BY_LIMIT, CUT_AT_LIMIT}, ran
    assert codes[2] == NOT_FOUND, ran
    # With a protoset fields are turnFinished, by reflection turn_finished.
    output = {it.command.split("/")[-1].split()[0]: it.output.replace("_", "") for it in ran}
    assert "DispatcherService.Converse" in ran[4].output
    assert '"name": "local"' in output["WhoAmI"]
    for word in ("created", "accepted", "finished"):
        assert word in output["Converse"].lower()
    assert "conversationcreated" in output["Follow"].lower()
    assert '"TURNSTATESUCCEEDED"' in output["CancelTurn"]
    assert '"reason": "NOTFOUND"' in output["GetConversation"]
    assert '"text": "Hello"' in output["ListMessages"]


@pytest.mark.needs("grpcurl")
async def test_a_worker_by_calls(served: Served, tmp_path: Path) -> None:
    """A shell is let in, has a turn, says its answer, and the turn has ended."""
    lines = [f"cd {tmp_path}", *readme.commands("by-calls", GUIDE)]
    ran = await asyncio.to_thread(readme.run_beside, served.server, lines)
    assert [it for it in ran[:-1] if it.exit_code] == []
    assert "HELLO!" in ran[-2].output
    assert '"finished": true' in (tmp_path / "frames.json").read_text()
