"""What the manifests say of production, as processes of this machine: an edge, and two servers.

Only addresses and files are others: certificates are those of `antiphon certs`, and `localhost` has
the names of the cluster's services.
"""

import asyncio
import json
import signal
from asyncio.subprocess import Process
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import aiohttp
import pytest
from typer.testing import CliRunner

from antiphon_client import ApiKey, Client, Tls
from antiphon_client.errors import Unavailable
from antiphon_server.cli.main import app
from tests.deploy.test_kubernetes import container, environment, workloads
from tests.e2e.process import COMMAND
from tests.e2e.until import PATIENCE_S
from tests.fakes.postgres import Postgres
from tests.proofs.bench.processes import ROOT, free_port
from tests.proofs.bench.processes import environment as clean

HOST = "127.0.0.1"
[EDGE], [SERVER] = (
    [each for each in workloads("production") if each["kind"] == kind]
    for kind in ("Deployment", "StatefulSet")
)


@dataclass(frozen=True, slots=True)
class Cluster:
    """Where things are; ``servers`` are those that run, by their admin ports."""

    home: Path
    database: str
    registry: int
    edge: int
    edge_admin: int

    def of_edge(self) -> dict[str, str]:
        """What differs from the manifests for the edge."""
        ports = {"port": self.registry, "edge_port": self.edge, "admin_port": self.edge_admin}
        more = {"ads_port": free_port(), "inside_port": free_port()}
        mesh = json.loads(environment("production", EDGE)["ANTIPHON_MESH"])
        return {
            "ANTIPHON_MESH": json.dumps(mesh | {"edge_host": HOST, "host": HOST} | ports | more)
        }

    def of_server(self, port: int, admin_port: int) -> dict[str, str]:
        """And for a server."""
        return {
            "ANTIPHON_DATABASE_URL": self.database,
            "ANTIPHON_REDIS_URL": "",
            "ANTIPHON_REGISTRY": f"localhost:{self.registry}",
            "ANTIPHON_NODE_ADDRESS": f"localhost:{port}",
            "ANTIPHON_TRUSTED_PROXIES": '["127.0.0.0/8"]',
            "ANTIPHON_HOST": HOST,
            "ANTIPHON_PORT": str(port),
            "ANTIPHON_ADMIN_PORT": str(admin_port),
            "ANTIPHON_MODEL": "scripted/echo",
        }

    @asynccontextmanager
    async def running(
        self, name: str, workload: dict[str, object], differs: Mapping[str, str]
    ) -> AsyncIterator[Process]:
        """A container as a process."""
        certificate = "edge" if workload is EDGE else "auth"
        certificates = self.home / "certs"
        volume = self.home / name
        await asyncio.to_thread(_open_to_all, volume)
        given = environment("production", workload) | dict(differs)
        given["ANTIPHON_DATA_DIR"] = given["ANTIPHON_DATA_DIR"].replace(
            "/var/lib/antiphon", str(volume)
        )
        for of in ("own", "public"):
            for file, ours in (
                ("tls.crt", f"{certificate}.pem"),
                ("tls.key", f"{certificate}.key"),
                ("ca.crt", "ca.pem"),
            ):
                mounted = f"/etc/antiphon/{of}/{file}"
                given = {k: v.replace(mounted, str(certificates / ours)) for k, v in given.items()}
        given = {key: value for key, value in given.items() if value}
        log = await asyncio.to_thread((self.home / f"{name}.log").open, "wb")
        process = await asyncio.create_subprocess_exec(
            *COMMAND,
            *container(workload)["args"],
            cwd=ROOT,
            env=clean(given),
            stdout=log,
            stderr=log,
        )
        try:
            yield process
        finally:
            if process.returncode is None:
                process.send_signal(signal.SIGTERM)
            async with asyncio.timeout(PATIENCE_S):
                await process.wait()
            log.close()
            print(await asyncio.to_thread((self.home / f"{name}.log").read_text))


def _open_to_all(volume: Path) -> None:
    """As an emptyDir is."""
    volume.mkdir()
    volume.chmod(0o777)


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """A folder with certificates."""
    assert CliRunner().invoke(app, ["certs", str(tmp_path / "certs")]).exit_code == 0
    return tmp_path


async def test_production_as_the_manifests_have_it(home: Path, postgres: Postgres) -> None:
    """Turns go through the edge to whichever server; who is told to end does so in its grace."""
    database = await postgres.empty_database()
    at = Cluster(home, database, free_port(), free_port(), free_port())
    admins = [free_port(), free_port()]
    async with AsyncExitStack() as stack:
        await stack.enter_async_context(at.running("edge", EDGE, at.of_edge()))
        servers = [
            await stack.enter_async_context(
                at.running(f"server-{number}", SERVER, at.of_server(free_port(), admin))
            )
            for number, admin in enumerate(admins)
        ]
        async with asyncio.timeout(PATIENCE_S):
            for admin in admins:
                await _answers(f"http://{HOST}:{admin}/healthz")
        key = home / "server-0" / "data" / "operator.key"
        tls = Tls(await asyncio.to_thread((home / "certs" / "ca.pem").read_bytes))
        credentials = ApiKey((await asyncio.to_thread(key.read_text)).strip())
        async with Client.connect(f"https://localhost:{at.edge}", credentials, tls=tls) as client:
            conversation = await _first(client)
            for number in range(4):
                async with client.converse(conversation) as talk:
                    turn = await talk.post(f"number {number}")
                    assert (await turn.result()).text == f"number {number}"
        await _answers(f"http://{HOST}:{at.edge_admin}/livez")
        servers[1].send_signal(signal.SIGTERM)
        async with asyncio.timeout(
            SERVER["spec"]["template"]["spec"]["terminationGracePeriodSeconds"]
        ):
            assert await servers[1].wait() == 0


async def _first(client: Client) -> str:
    """A conversation, as soon as the edge is open."""
    async with asyncio.timeout(PATIENCE_S):
        while True:
            try:
                return (await client.create_conversation("first")).conversation_id
            except Unavailable:
                await asyncio.sleep(0.2)


async def _answers(url: str) -> None:
    """Return when it answers with success."""
    async with aiohttp.ClientSession() as session:
        while True:
            try:
                async with session.get(url) as answer:
                    if answer.ok:
                        return
            except aiohttp.ClientError:
                pass
            await asyncio.sleep(0.1)
