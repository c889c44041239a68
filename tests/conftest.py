"""What holds for all tests."""

import os
import shutil
import tempfile
from collections.abc import AsyncIterator, Iterator

import pytest
from blockbuster import BlockBuster
from hypothesis import settings

from tests.bytecode import keep_bytecode

keep_bytecode()  # before what follows is imported

from tests.blocking import watching  # noqa: E402
from tests.fakes.postgres import Postgres  # noqa: E402
from tests.fakes.valkey import Valkey  # noqa: E402

pytest_plugins = ("tests.programs", "tests.side_by_side")

# What is generated is the same in each run. ``--hypothesis-profile=long`` makes other
# examples each time, and of the state machines many more.
settings.register_profile("short", derandomize=True, database=None, deadline=None)
settings.register_profile("long", database=None, deadline=None, print_blob=True)
settings.load_profile("short")


def pytest_addoption(parser: pytest.Parser) -> None:
    """So that all of auth's rules can be tried on Postgres, which takes two minutes."""
    parser.addoption("--all-on-postgres", action="store_true")


def pytest_configure(config: pytest.Config) -> None:
    """Nothing of whoever runs the tests is read or changed: data, logins, settings, home."""
    for name in [name for name in os.environ if name.startswith("ANTIPHON_")]:
        del os.environ[name]
    os.environ.pop("UV", None)  # by which hints say `uv run antiphon`
    home = tempfile.mkdtemp(prefix="antiphon-tests-")
    config.add_cleanup(lambda: shutil.rmtree(home, ignore_errors=True))
    os.environ |= {"XDG_DATA_HOME": f"{home}/data", "XDG_STATE_HOME": f"{home}/state"}
    if not os.access(os.path.expanduser("~"), os.W_OK):
        os.environ["HOME"] = home


# Where the server's code may block the event loop, and why.
MAY_BLOCK = [
    # Before the server serves nobody waits.
    ("antiphon_server/runtime/storage/data_dir_lock.py", "exclusive"),
    ("antiphon_server/runtime/nodes/name.py", "node_name"),
    ("antiphon_server/runtime/storage/migrations.py", "_migrate"),
    ("antiphon_server/auth/adapters/server_secret.py", "load_or_create"),
    ("antiphon_server/auth/adapters/server_secret.py", "given_secret"),
    ("antiphon_server/hardening/facts.py", "facts_of"),
    ("antiphon_server/runtime/net/tls.py", "__init__"),
    ("antiphon_server/app/peer_tls.py", "_read"),
    ("antiphon_server/app/registering.py", "__init__"),
    ("antiphon_server/auth/adapters/secret_files.py", "read"),
    ("antiphon_server/auth/adapters/secret_files.py", "write"),
    # A few rows by an index, mostly in SQLite's memory: a thread would take ten times longer.
    ("antiphon_server/runtime/storage/sqlite.py", "_look_up"),
    ("antiphon_server/runtime/storage/sqlite_writer.py", "_made_here"),
    # Once, when a local model is loaded: whether a file exists.
    ("antiphon_server/integration/models/adapters/gguf.py", "find_gguf"),
    # For a new connection to Postgres: whether passwords or certificates are in the home folder.
    ("asyncpg/connect_utils.py", "_parse_connect_dsn_and_args"),
    # A log line is a small write into the system's buffers; a file is rotated every 10 MiB.
    ("logging/handlers.py", "emit"),
    # A trace shows the lines of source that it names; the log of an unconfigured test draws it.
    ("structlog/dev.py", "__call__"),
    ("linecache.py", "checkcache"),
    ("linecache.py", "updatecache"),
    # /proc is memory.
    ("prometheus_client/process_collector.py", "collect"),
    # gRPC joins its poller when the last of its objects is collected, wherever that happens.
    ("threading.py", "_wait_for_tstate_lock"),
]
# These wait for nothing.
HARMLESS = ["os.path.abspath", "os.getcwd"]


@pytest.fixture(scope="session")
def postgres() -> Iterator[Postgres]:
    """A Postgres server, started when the first test asks for it; tests have own databases."""
    server = Postgres()
    server.start()
    yield server
    server.remove()


@pytest.fixture
async def valkey() -> AsyncIterator[Valkey]:
    """A Valkey server of a test's own, which it may break."""
    async with Valkey() as server:
        yield server


@pytest.fixture(scope="session")
def watched() -> BlockBuster:
    """What finds blocking calls of the server's code."""
    return watching("antiphon_server", MAY_BLOCK, HARMLESS)


@pytest.fixture(autouse=True)
def no_blocking_call_on_the_loop(watched: BlockBuster) -> Iterator[None]:
    """A blocking call of the server's code on the event loop raises BlockingError."""
    watched.activate()
    yield
    watched.deactivate()
