"""What the manifests say of production, as processes of this machine: an edge, and two servers.

Only addresses and files are others: certificates are those of `antiphon certs`, and `localhost` has
the names of the cluster's services.
"""

import asyncio
import json
import signal
from collections.abc import Mapping
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path

import aiohttp
import pytest
from typer.testing import CliRunner

from antiphon_client import ApiKey, Client, Tls
from antiphon_client.errors import Unavailable
from antiphon_server.cli.main import app
from tests.deploy.test_kubernetes import container, environment, workloads
from tests.e2e.until import PATIENCE_S, until_it
from tests.fakes.postgres import Postgres
from tests.mesh.commands import Command
from tests.proofs.bench.processes import free_port

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

    def container(
        self, name: str, workload: dict[str, object], differs: Mapping[str, str]
    ) -> Command:
        """A container as a process."""
        certificate = "edge" if workload is EDGE else "auth"
        volume = self.home / name
        volume.mkdir()
        volume.chmod(0o777)  # as an emptyDir is
        given = environment("production", workload) | dict(differs)
        given["ANTIPHON_DATA_DIR"] = given["ANTIPHON_DATA_DIR"].replace(
            "/var/lib/antiphon", str(volume)
        )
        ours = {
            "tls.crt": f"{certificate}.pem",
            "tls.key": f"{certificate}.key",
            "ca.crt": "ca.pem",
        }
        for of in ("own", "public"):
            for mounted, file in (*ours.items(), ("ca.crt", "ca.pem")):
                path = f"/etc/antiphon/{of}/{mounted}", str(self.home / "certs" / file)
                given = {key: value.replace(*path) for key, value in given.items()}
        given = {key: value for key, value in given.items() if value}
        return Command(self.home / f"{name}.log", given, *container(workload)["args"])


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
        await stack.enter_async_context(at.container("edge", EDGE, at.of_edge()))
        servers = [
            await stack.enter_async_context(
                at.container(f"server-{number}", SERVER, at.of_server(free_port(), admin))
            )
            for number, admin in enumerate(admins)
        ]
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
        servers[1].signal(signal.SIGTERM)
        grace_s = SERVER["spec"]["template"]["spec"]["terminationGracePeriodSeconds"]
        assert await servers[1].ends(grace_s) == 0


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

        async def ok() -> bool:
            try:
                async with session.get(url) as answer:
                    return answer.ok
            except aiohttp.ClientError:
                return False

        await until_it(ok)
