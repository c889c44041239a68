"""Envoy's process and its owner."""

import asyncio
import os
import signal
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

import psutil
import pytest

from antiphon_server.mesh.compose import LISTENER, edge_before
from antiphon_server.mesh.contracts import contracts
from antiphon_server.mesh.envoy.binary import EnvoyMissing
from antiphon_server.mesh.envoy.process import Envoy, EnvoyDidNotStart
from antiphon_server.mesh.model import Address, Edge
from antiphon_server.runtime.concurrency.retry import RetryPolicy
from antiphon_server.runtime.process.lifecycle import Lifecycle
from tests.e2e.until import SOON_S, until, until_it
from tests.mesh.world import HOST
from tests.proofs.bench.processes import ROOT, free_port

OWNER = """
import asyncio, sys
from pathlib import Path
from antiphon_server.mesh.compose import edge_before
from antiphon_server.mesh.model import Address, Edge

async def main():
    envoy = edge_before(Address("127.0.0.1", 1), Edge(Address("127.0.0.1", 0)), Path(sys.argv[1]))
    await envoy.start()
    print(envoy.pid, flush=True)
    await asyncio.Event().wait()

asyncio.run(main())
"""


async def test_a_killed_owner_leaves_nothing_behind(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Envoy dies with its owner, whose folder the next one takes away: that one, and no other's."""
    with tempfile.TemporaryDirectory(prefix="e-") as folder:  # a socket's path has to be short
        owners = [await _owner(Path(folder), tmp_path / f"{name}.log") for name in ("one", "two")]
        killed, living = owners
        killed.process.send_signal(signal.SIGKILL)
        await killed.process.wait()
        await until(lambda: not _runs(killed.envoy), SOON_S)
        for each in owners:
            os.utime(each.folder, (0, 0))
        monkeypatch.setattr(tempfile, "tempdir", folder)
        with pytest.raises(DatesAreWrong):
            await Envoy(_refuse, LISTENER, 0, tmp_path / "three.log").start()
        assert _in(Path(folder)) == {living.folder}
        living.process.terminate()
        await living.process.wait()


class DatesAreWrong(Exception):
    """Some reason why there is no configuration."""


def _refuse(_port: int) -> bytes:
    raise DatesAreWrong


@dataclass(frozen=True, slots=True)
class Owner:
    """A process that has an Envoy."""

    process: asyncio.subprocess.Process
    envoy: psutil.Process
    folder: Path


async def _owner(folder: Path, log_file: Path) -> Owner:
    before = _in(folder)
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-c", OWNER, str(log_file)),
        env={**os.environ, "TMPDIR": str(folder)},
        stdout=asyncio.subprocess.PIPE,
    )
    assert process.stdout is not None
    envoy = psutil.Process(int(await process.stdout.readline()))
    (own,) = _in(folder) - before
    return Owner(process, envoy, own)


def _in(folder: Path) -> set[Path]:
    return set(folder.iterdir())


def _runs(process: psutil.Process) -> bool:
    return process.is_running() and process.status() != psutil.STATUS_ZOMBIE


async def test_it_says_why_it_did_not_start(tmp_path: Path) -> None:
    """What Envoy said at its end stands in the error, and nothing of it is left."""
    edge = Edge(Address("no address", free_port()))
    envoy = edge_before(Address(HOST, 1), edge, tmp_path / "envoy.log")
    with pytest.raises(EnvoyDidNotStart, match="no address"):
        await envoy.start()
    assert envoy.pid is None


async def test_it_is_started_again_however_often_that_fails(tmp_path: Path) -> None:
    """Whether it can't be begun for a while, or lives and is not ready in time."""
    failures: list[Exception] = []

    def configuration(port: int) -> bytes:
        if failures:
            raise failures.pop()
        from antiphon_server.mesh.edge.static import single_server  # a second of a processor

        return single_server(Edge(Address(HOST, port)), Address(HOST, 1))

    soon = RetryPolicy(0.01)
    envoy = Envoy(configuration, LISTENER, 0, tmp_path / "envoy.log", policy=soon)
    async with Lifecycle() as lifecycle:
        await envoy.serve(lifecycle)
        failures += [OSError("no file is left"), EnvoyMissing()]
        envoy.start_s = 0.0
        assert envoy.pid is not None
        os.kill(envoy.pid, signal.SIGKILL)
        await until(lambda: envoy.restarts > 3)
        envoy.start_s = 30.0
        await until_it(envoy.admin.ready, 60)


def test_every_contract_has_its_routes() -> None:
    """The edge knows every service whose stubs there are."""
    files = (ROOT / "proto/antiphon").glob("*/v1/*_service.proto")
    lines = [line for file in files for line in file.read_text().splitlines()]
    declared = {line.split()[1] for line in lines if line.startswith("service ")}
    # Filters and memories of others serve these, and no server of ours.
    declared -= {"RemoteFilterService", "ExternalMemoryService"}
    assert sorted(name.rpartition(".")[2] for name in contracts().services) == sorted(declared)
    assert any(rpc.streams for rpc in contracts().rpcs)
