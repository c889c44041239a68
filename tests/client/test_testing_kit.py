"""The kit with which programs that use the client are tested."""

import os
import subprocess
import sys

import psutil
import pytest

from antiphon_client.testing import DidNotStart, Server, running_server
from tests.proofs.bench.processes import ROOT

EXAMPLE = ROOT / "clients" / "examples" / "fastapi"


async def answered(server: Server, question: str) -> str:
    async with server.client(await server.user("anna")) as client:
        where = (await client.create_conversation()).conversation_id
        async with client.converse(where) as talk:
            return (await (await talk.post(question)).result()).text


async def test_a_server_answers_as_it_is_told_and_leaves_nothing() -> None:
    """It has its own process, port and data, and a model with a script."""
    others = set(psutil.Process().children())  # such as what begins programs by fork
    async with running_server(answers={"Who are you?": "I am a script."}) as server:
        assert await answered(server, "Who are you?") == "I am a script."
        folder = server.data_dir
        [process] = set(psutil.Process().children()) - others
        assert folder.exists()
    assert not folder.exists()
    assert not process.is_running()


async def test_the_environment_of_the_tests_is_not_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    """What a developer has set up for another server changes nothing."""
    monkeypatch.setenv("ANTIPHON_DATABASE_URL", "postgresql://nobody@127.0.0.1:9/none")
    async with running_server() as server:
        assert str(server.data_dir) not in os.environ.values()


def test_a_server_that_does_not_start_says_why() -> None:
    """A wrong setting is named."""
    with pytest.raises(DidNotStart, match="ANTIPHON_LEASE_S"):
        Server(settings={"ANTIPHON_LEASE_S": "-1"}).__enter__()


def test_a_command_that_can_t_be_run_is_named() -> None:
    """It is one way of not starting, and leaves no folder."""
    server = Server(command=["/no/such/antiphon"])
    with pytest.raises(DidNotStart, match="/no/such/antiphon"):
        server.__enter__()
    assert not server.data_dir.exists()


def test_the_example_passes_its_tests() -> None:
    """A web service that streams answers, tested with the fixtures."""
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-c", "/dev/null", "."],
        cwd=EXAMPLE,
        capture_output=True,
        text=True,
        timeout=180,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "2 passed" in done.stdout
