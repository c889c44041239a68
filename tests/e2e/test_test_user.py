"""Development's test user, as the console shows it and as production meets it."""

import re
from pathlib import Path

import pytest

from antiphon_client import Client, Password, Unauthenticated
from tests.cli.conftest import Home
from tests.e2e.server import ServerProcess

_TOLD = re.compile(r"antiphon login -a (?P<address>\S+) --name test`, password (?P<password>\S+) ")


async def signs_in(address: str, password: str) -> bool:
    async with Client.connect(address, Password("test", password)) as client:
        try:
            return (await client.who_am_i()).user.name == "test"
        except Unauthenticated:
            return False


async def test_it_is_said_at_each_start_and_gone_in_production(tmp_path: Path) -> None:
    """The console shows the password once, the log never; a start without it shuts it out."""
    server = ServerProcess(tmp_path, variables={"ANTIPHON_TEST_USERS": "1"})
    async with server:
        told = _TOLD.search(server.output)
        assert told is not None
        assert told["address"] == server.address
        assert await signs_in(server.address, told["password"])
        assert server.output.count(told["password"]) == 1
    kept = (server.data_dir / "auth.key").read_text().strip()
    (server.data_dir / "auth.key").unlink()
    production = {
        "ANTIPHON_ENV": "production",
        "ANTIPHON_BEHIND_PROXY": "true",
        "ANTIPHON_SECRET_KEY": kept,
    }
    async with ServerProcess(tmp_path, variables=production) as server:
        assert "the test user of an earlier start is shut out" in server.output
        assert not await signs_in(server.address, told["password"])


@pytest.fixture
def home(tmp_path: Path) -> Home:
    return Home(tmp_path / "home")


@pytest.mark.parametrize("more", [["--host", "0.0.0.0"], ["--behind-proxy"]])
def test_it_is_for_this_machine_alone(home: Home, more: list[str]) -> None:
    """Where others reach the port there is none: a sentence says what to leave away."""
    shown = home.run("up", "--port", "0", "--admin-port", "0", "--test-user", *more)
    assert shown.returncode == 2
    assert "a test user is for this machine alone; leave it away" in shown.stderr
    assert not home.data_dir.exists()


async def test_others_are_hinted_at(tmp_path: Path) -> None:
    """In development nothing is checked; where others reach the port, the console says so."""
    for host, hinted in (("0.0.0.0", True), ("127.0.0.1", False)):
        async with ServerProcess(tmp_path, variables={"ANTIPHON_HOST": host}) as server:
            assert ("Others can reach this port" in server.output.splitlines()[-1]) is hinted


async def test_somebody_called_test_is_no_test_user(tmp_path: Path, home: Home) -> None:
    """A start that would need the name ends with a sentence."""
    async with ServerProcess(tmp_path) as server, server.client() as client:
        await client.create_user("test", "correct horse battery")
    folder = str(server.data_dir)
    ports = ("--port", "0", "--admin-port", "0")
    shown = home.run("up", *ports, "--data-dir", folder, "--test-user", "--model", "scripted/test")
    assert shown.returncode == 1
    assert "there is an account `test` that is somebody's own" in shown.stderr
