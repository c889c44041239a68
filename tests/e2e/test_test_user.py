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
        assert "Others can reach this port" not in server.output
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
