import os
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from antiphon_client import ApiKey, Client
from antiphon_server.cli.local_server import LocalServer
from antiphon_server.cli.paths import OPERATOR_FILE
from tests.forkserver.program import run


@dataclass(frozen=True)
class Home:
    """A user's home: where a server keeps its data, and where logins are kept."""

    path: Path

    @property
    def data_dir(self) -> Path:
        return self.path / "data" / "antiphon"

    @property
    def environment(self) -> dict[str, str]:
        """The variables that make it the home of a program."""
        return {
            "XDG_DATA_HOME": str(self.path / "data"),
            "XDG_STATE_HOME": str(self.path / "state"),
            "HOME": str(self.path),
            "COLUMNS": "100",
            "NO_COLOR": "1",
        }

    def run(
        self, *arguments: str, stdin: str = "", timeout: float = 60, **variables: str
    ) -> "subprocess.CompletedProcess[str]":
        """Run ``antiphon`` to its end."""
        return run(arguments, {**os.environ, **self.environment, **variables}, stdin, timeout)

    @contextmanager
    def server(self) -> Iterator[str]:
        """A server here, found by commands without being told; its address."""
        server = LocalServer(self.data_dir)
        try:
            yield server.start()
        finally:
            server.stop()

    def client(self, address: str) -> Client:
        """A client of the operator of the server here."""
        return Client.connect(address, ApiKey((self.data_dir / OPERATOR_FILE).read_text().strip()))


@pytest.fixture
def home(tmp_path: Path) -> Home:
    """A home in which nothing has run yet."""
    return Home(tmp_path)


@pytest.fixture(scope="module")
def shared_home(tmp_path_factory: pytest.TempPathFactory) -> Home:
    """A home for the tests of one file."""
    return Home(tmp_path_factory.mktemp("home"))


@pytest.fixture(scope="module")
def address(shared_home: Home) -> Iterator[str]:
    """A server at ``shared_home``, found by commands there without being told."""
    with shared_home.server() as address:
        yield address


Run = Callable[..., "subprocess.CompletedProcess[str]"]


@pytest.fixture
def antiphon(shared_home: Home, address: str) -> Run:
    """Run a command beside the server."""
    return shared_home.run
