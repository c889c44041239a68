"""A server in production: what it refuses to start with, and that it serves once all is safe."""

import asyncio
import base64
import os
import subprocess
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import grpc
import pytest
import pytest_asyncio
from grpc_reflection.v1alpha import reflection_pb2_grpc

from antiphon_client.address import open_channel
from tests.certificates import Authority
from tests.e2e.server import ServerProcess
from tests.forkserver import program
from tests.proofs.bench.processes import environment

PASSWORD = "correct horse battery"
SECRET = base64.b64encode(os.urandom(32)).decode()
Run = Callable[..., "subprocess.CompletedProcess[str]"]


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("production")


@pytest.fixture(scope="module")
def authority(home: Path) -> Authority:
    return Authority(home)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def server(home: Path, authority: Authority) -> AsyncIterator[ServerProcess]:
    """One with TLS for ``chat.example.org`` and, so that this machine reaches it, localhost."""
    files = authority.files("chat.example.org", "localhost", "127.0.0.1")
    variables = {
        "ANTIPHON_ENV": "production",
        "ANTIPHON_TLS_CERT": str(files.certificate),
        "ANTIPHON_TLS_KEY": str(files.key),
        "ANTIPHON_SECRET_KEY": SECRET,
    }
    async with ServerProcess(home, variables=variables, tls=authority.trust) as server:
        yield server


@pytest.fixture(scope="module")
def antiphon(home: Path, server: ServerProcess) -> Run:
    """Run a command on the server's machine, as its operator."""

    def run(*arguments: str, **variables: str) -> "subprocess.CompletedProcess[str]":
        of_the_machine = {
            **os.environ,
            "XDG_STATE_HOME": str(home / "state"),
            "ANTIPHON_DATA_DIR": str(server.data_dir),
            "COLUMNS": "100",
            "NO_COLOR": "1",
        }
        return program.run(arguments, {**of_the_machine, **variables})

    return run


@pytest.mark.asyncio(loop_scope="module")
async def test_the_port_does_not_describe_itself(
    server: ServerProcess, authority: Authority
) -> None:
    """Reflection is off without being told so."""
    async with open_channel(server.address, authority.trust) as channel:
        stub = reflection_pb2_grpc.ServerReflectionStub(channel)
        call = stub.ServerReflectionInfo(iter([]), timeout=10)
        assert await call.code() is grpc.StatusCode.UNIMPLEMENTED


@pytest.mark.asyncio(loop_scope="module")
async def test_the_secret_is_not_on_the_disk(server: ServerProcess) -> None:
    """Nothing in the data folder, nor in the log, holds the secret that the environment gave."""
    files = [path for path in server.data_dir.iterdir() if path.is_file()]
    contents = b"".join(path.read_bytes() for path in [*files, server.log])
    assert "auth.key" not in [path.name for path in files]
    assert SECRET.encode() not in contents
    assert base64.b64decode(SECRET) not in contents


async def test_commands_on_its_machine_need_no_set_up(
    antiphon: Run, server: ServerProcess, authority: Authority
) -> None:
    """They know the server by its certificate, whatever name and authority that is of."""
    for names in (["chat.example.org"], ["localhost", "127.0.0.1"]):
        authority.files(*names)
        shown = await asyncio.to_thread(antiphon, "token")
        assert shown.returncode == 0, shown.stderr


async def test_elsewhere_one_is_told_what_to_do(
    antiphon: Run, server: ServerProcess, authority: Authority, tmp_path: Path
) -> None:
    """By a sentence for each: no TLS asked for, an authority unknown, a login that goes well."""
    plain = server.address.removeprefix("https://")
    login = ("login", "--name", "bert")
    elsewhere = {"ANTIPHON_DATA_DIR": str(tmp_path), "ANTIPHON_PASSWORD": PASSWORD}
    async with server.client() as client:
        await client.create_user("bert", PASSWORD)

    async def said(*arguments: str) -> str:
        shown = await asyncio.to_thread(antiphon, *arguments, **elsewhere)
        return " ".join((shown.stdout + shown.stderr).split())

    assert f"speaks TLS; write https://{plain}" in await said(*login, "-a", plain)
    distrust = await said(*login, "-a", server.address)
    assert "of no authority that is trusted here; if its operator has given you" in distrust
    ca = str(authority.file)
    assert "Signed in" in await said(*login, "-a", server.address, "--ca", ca)
    assert "you are bert" in await said("doctor", "-a", server.address)  # the authority was kept
    assert "Signed out." in await said("logout", "-a", server.address)


def test_a_bare_start_is_refused(tmp_path: Path) -> None:
    """Every insecure default is named with its remedy, at once; nothing was written."""
    words = ["up", "--model", "scripted/test", "--data-dir", str(tmp_path / "data")]
    shown = program.run(words, environment({"ANTIPHON_ENV": "production"}))
    assert shown.returncode == 2
    lines = shown.stderr.strip().splitlines()
    assert lines[0] == "antiphon: not safe for production, so the server does not start:"
    assert [line.partition(":")[0] for line in lines[1:]] == [
        "- the port has no TLS",
        "- the installation's secret lies in the data folder",
    ]
    assert "--behind-proxy" in shown.stderr
    assert "ANTIPHON_SECRET_KEY" in shown.stderr
    assert not (tmp_path / "data").exists()
