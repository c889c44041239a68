"""The client without the server: its own wheel, in an environment that has nothing else."""

import asyncio
import subprocess
import sys
from pathlib import Path

import pytest

from tests.e2e import readme
from tests.e2e.server import ServerProcess
from tests.installed.environments import CLIENT, LIMIT_S, Installed, described
from tests.proofs.bench.processes import ROOT, environment

GUIDE = ROOT / "docs" / "guides" / "clients.md"
HEAVY = {"aiohttp", "alembic", "cryptography", "protovalidate", "sqlalchemy", "typer"}
ASKING = """
import asyncio, sys
from antiphon_client import ApiKey, Client

async def main(address, key):
    async with Client.connect(address, ApiKey(key)) as client:
        conversation = await client.create_conversation()
        async with client.converse(conversation.conversation_id) as talk:
            print((await (await talk.post("Hello")).result()).text)

asyncio.run(main(*sys.argv[1:]))
"""

KIT = """
import asyncio
from antiphon_client.testing import running_server

async def main():
    async with running_server({}) as server, server.client() as client:
        where = (await client.create_conversation()).conversation_id
        async with client.converse(where) as talk:
            print((await (await talk.post("Hello")).result()).text)

asyncio.run(main())
"""
NONE = "there is no server here: install `antiphon`"
COMMAND = [sys.executable, "-m", "antiphon_server"]


@pytest.fixture(scope="module")
def alone(tmp_path_factory: pytest.TempPathFactory) -> Installed:
    """The environment of the client's wheel, made as the guide says."""
    folder = tmp_path_factory.mktemp("client")
    made = Installed.empty(folder / "alone")
    block = "\n".join(readme.commands("python", GUIDE))
    block = block.replace("~/program/.venv", str(made.folder)).replace("dist", f"{folder}/dist")
    subprocess.run(["sh", "-euc", block], cwd=ROOT, check=True, timeout=LIMIT_S)
    return made


def test_it_has_all_that_it_imports_and_little_else(alone: Installed) -> None:
    """Every module of it, and every stub, without what a server needs."""
    lacking = alone.lacking(distribution="antiphon-client")
    assert lacking.keys() == {"antiphon_client.testing.fixtures"}  # which pytest has imported
    assert not (HEAVY | {"antiphon"}) & alone.distributions()


def test_it_asks_for_what_the_server_s_package_asks_for() -> None:
    """An environment that suits the one suits the other."""
    ours, servers = (described(project)["project"] for project in (CLIENT, ROOT))
    assert set(ours["dependencies"]) <= set(servers["dependencies"])
    assert ours["requires-python"] == servers["requires-python"]


async def test_it_tests_with_a_server_of_another_environment(alone: Installed) -> None:
    """Without one it says what is missing; `command` says where there is one."""
    for program, says in ((KIT.format(""), NONE), (KIT.format(f"command={COMMAND!r}"), "Hello\n")):
        done = await asyncio.to_thread(
            subprocess.run,
            [alone.program("python"), "-c", program],
            cwd=alone.elsewhere,
            env=environment({"PYTHONPATH": ""}),
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
        assert says in done.stdout + done.stderr


async def test_it_talks_to_a_server(alone: Installed, tmp_path: Path) -> None:
    """A turn, asked for by a program that has the client alone."""
    async with ServerProcess(tmp_path, model="scripted/echo") as server:
        done = await asyncio.to_thread(
            subprocess.run,
            [alone.program("python"), "-c", ASKING, server.address, server.key.secret],
            cwd=alone.elsewhere,
            env=environment(),
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
    assert (done.returncode, done.stdout) == (0, "Hello\n"), done.stderr


def test_its_types_are_known(alone: Installed, tmp_path: Path) -> None:
    """To mypy, in whatever is written with it; those of the stubs too."""
    program = tmp_path / "program.py"
    program.write_text(
        "from antiphon.auth.v1.auth_pb2 import User\n"
        "from antiphon_client import Client\n"
        "from buf.validate.validate_pb2 import FieldRules\n"
        "async def name(client: Client) -> str:\n"
        "    return (await client.who_am_i()).user.name\n"
        "wrong: int = User().name\n"
        "also: str = FieldRules().required\n"
    )
    options = ("--strict", "--config-file=", "--cache-dir", str(tmp_path / "cache"))
    done = subprocess.run(
        [
            *(sys.executable, "-m", "mypy", *options),
            *("--python-executable", alone.program("python"), program.name),
        ],
        cwd=tmp_path,
        env=environment(),
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    wrong = [line.partition(": error")[0] for line in done.stdout.splitlines()[:-1]]
    assert wrong == ["program.py:6", "program.py:7"], done.stdout
