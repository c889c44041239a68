"""What a real server exposes, before and after mishaps; and series for promtool, made of it."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable, Iterable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import aiohttp
import psutil
from prometheus_client.parser import text_string_to_metric_families
from prometheus_client.samples import Sample

from antiphon_client import AntiphonError, Client, Password, Tls
from tests.certificates import Authority
from tests.deploy.alerts.promtool import metric
from tests.e2e.server import ServerProcess
from tests.e2e.until import PATIENCE_S
from tests.fakes.valkey import Valkey

MODELS = [
    {
        "name": f"scripted/{name}",
        "kind": "scripted",
        "model": "count",
        "script": {"deltas": 2, "gap_ms": 1, **more},
    }
    for name, more in (("sound", {}), ("broken", {"fail_after": 1}))
]
VARIABLES = {
    "ANTIPHON_ALARMS": '{"failures_on_name": 1}',
    "ANTIPHON_IDENTITY_PROVIDERS": (
        '[{"name": "idp", "issuer": "https://127.0.0.1:9", "client_id": "x",'
        ' "client_secret_env": "SECRET"}]'
    ),
    "SECRET": "y",
    "ANTIPHON_CONNECTIONS": '[{"name": "gone", "mcp": "http://127.0.0.1:9/mcp"}]',
}
INSTANCE = "server-1:7451"


@dataclass(frozen=True, slots=True)
class Exposed:
    """A server's figures while all is well, and after mishaps."""

    well: tuple[Sample, ...]
    ill: tuple[Sample, ...]

    def series(self, name: str, where: dict[str, str], become: dict[str, str]) -> str:
        """A series as Prometheus has it that scraped this server.

        It is one that the server has (``name`` and labels ``where``); ``become`` is what it
        would say in its labels. Raises LookupError: there is no such series, or no such label.
        """
        for sample in self.ill:
            if sample.name == name and where.items() <= sample.labels.items():
                if become.keys() - sample.labels.keys():
                    break
                return written(name, {**sample.labels, **become})
        raise LookupError(f"no server exposes {name} with {where} and {sorted(become)}")


def written(name: str, labels: dict[str, str]) -> str:
    """A series of the instance that is looked at, as PromQL writes it."""
    return metric(name, {"job": "antiphon", "instance": INSTANCE, **labels})


@asynccontextmanager
async def exposed(home: Path) -> AsyncIterator[Exposed]:
    """Run one, let things happen to it, and keep what it said."""
    async with Valkey() as redis:
        authority = Authority(home)
        files = authority.files()
        variables = {
            **VARIABLES,
            "ANTIPHON_REDIS_URL": redis.url,
            "ANTIPHON_TLS_CERT": str(files.certificate),
            "ANTIPHON_TLS_KEY": str(files.key),
        }
        server = ServerProcess(home, models=MODELS, variables=variables, tls=authority.trust)
        async with server:
            port = await _admin_port(server)
            well = await _until(port, _is("antiphon_redis_fallback", 0))
            await _happen(server, authority.trust)
            await redis.kill()
            await _until(port, _is("antiphon_redis_fallback", 1))
            ill = await _until(port, _is("antiphon_security_alarms_total", 1))
            yield Exposed(well, ill)


async def _happen(server: ServerProcess, trust: Tls) -> None:
    """A turn that succeeds, one that fails, a post, and a wrong password."""
    async with server.client() as client:
        made = await client.create_conversation("of figures")
        await client.post_message(made.conversation_id, "a post")
        async with client.converse(made.conversation_id) as talk:
            for model in MODELS:
                turn = await talk.post("hello", models=[str(model["name"])])
                await turn.result()
    with contextlib.suppress(AntiphonError):
        nobody = Password("nobody", "wrong")
        async with Client.connect(server.address, nobody, tls=trust) as stranger:
            await stranger.who_am_i()


async def _admin_port(server: ServerProcess) -> int:
    connections = psutil.Process(server.pid).net_connections("tcp")
    listening = {each.laddr.port for each in connections if each.status == psutil.CONN_LISTEN}
    [port] = listening - {server.port}
    return int(port)


async def _until(port: int, there: Callable[[Iterable[Sample]], bool]) -> tuple[Sample, ...]:
    async with asyncio.timeout(PATIENCE_S), aiohttp.ClientSession() as session:
        while True:
            async with session.get(f"http://127.0.0.1:{port}/metrics") as answer:
                families = text_string_to_metric_families(await answer.text())
            samples = tuple(sample for family in families for sample in family.samples)
            if there(samples):
                return samples
            await asyncio.sleep(0.05)


def _is(name: str, value: float) -> Callable[[Iterable[Sample]], bool]:
    return lambda samples: any(it.name == name and it.value == value for it in samples)
