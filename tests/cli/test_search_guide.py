"""docs/guides/search.md, done as it says."""

import asyncio
from pathlib import Path

import pytest

from tests.cli.conftest import Home
from tests.e2e import readme
from tests.e2e.followed import Followed
from tests.e2e.readme import Ran, commands, prints, run, transcript
from tests.e2e.server import ServerProcess
from tests.programs import PATH
from tests.proofs.bench.processes import free_port
from tests.repository.files import ROOT

GUIDE = ROOT / "docs" / "guides" / "search.md"


async def test_it_is_as_it_says(home: Home, tmp_path: Path) -> None:
    """Each command prints what stands there."""
    port = free_port()
    ports = {"ANTIPHON_PORT": str(port), "ANTIPHON_ADMIN_PORT": "0"}
    variables = {**home.environment, **ports, "PATH": PATH}
    typing = {**home.environment, "PATH": PATH}
    wrong = list[tuple[Ran, str]]()
    block = commands("settings", GUIDE)
    async with Followed(block, variables, tmp_path / "server.log", home.path, port):
        for mark in ("said", "find", "why"):
            told = transcript(mark, GUIDE)
            ran = await asyncio.to_thread(run, [command for command, _ in told], typing)
            pairs = zip(told, ran, strict=True)
            wrong += [(it, output) for (_, output), it in pairs if not prints(it, output)]
    assert wrong == []


async def test_what_it_says_of_an_answer_is_all() -> None:
    """Each field of the answer, and what of a hit is no message, stands in its tables."""
    from antiphon.memory.v1 import search_service_pb2 as pb

    text = GUIDE.read_text()
    names = [field.name for field in pb.SearchMessagesResponse.DESCRIPTOR.fields]
    names += ["score", "parts", "excerpt", "highlights"]
    assert [it for it in names if f"`{it}`" not in text] == []


@pytest.mark.needs("grpcurl")
async def test_grpcurl_searches_as_it_says(tmp_path: Path) -> None:
    """What was said is in the answer."""
    async with ServerProcess(tmp_path) as server:
        async with server.client() as client:
            made = await client.create_conversation()
            await client.post_message(made.conversation_id, "The insurance of the boat")
        ran = await asyncio.to_thread(readme.run_beside, server, commands("grpcurl", GUIDE))
    assert [it for it in ran if it.exit_code] == []
    assert '"excerpt": "The insurance of the boat"' in ran[-1].output
