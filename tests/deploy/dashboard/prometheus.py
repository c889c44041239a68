"""A real Prometheus (`apt install prometheus`) that scrapes what it is told, by our alerts."""

import asyncio
import json
import shutil
from asyncio.subprocess import Process
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import aiohttp
import yaml

from tests.deploy.dashboard.board import ALERTS
from tests.proofs.bench.processes import free_port

SCRAPE_S = 2
READY_S = 30.0
Labels = Mapping[str, str]
Series = tuple[Labels, list[tuple[float, float]]]


class PrometheusMissing(Exception):
    """It is not on the path."""


@dataclass(frozen=True, slots=True)
class Prometheus:
    """One that runs; ``targets`` is the file of whom it scrapes."""

    url: str
    targets: Path

    def scrape(self, targets: Mapping[str, str]) -> None:
        """From now on scrape these addresses, under the names they are given by."""
        groups = [
            {"targets": [address], "labels": {"instance": name}}
            for name, address in targets.items()
        ]
        fresh = self.targets.with_suffix(".new")
        fresh.write_text(json.dumps(groups))
        fresh.rename(self.targets)

    async def series(self, expression: str, start: float, end: float) -> list[Series]:
        """What an expression was, a point a scrape. Raises ValueError."""
        asked = {"query": expression, "start": str(start), "end": str(end), "step": str(SCRAPE_S)}
        answer = await self._get("query_range", asked)
        return [
            (one["metric"], [(float(at), float(value)) for at, value in one["values"]])
            for one in answer["result"]
        ]

    async def _get(self, what: str, asked: Mapping[str, str]) -> Any:
        async with (
            aiohttp.ClientSession() as session,
            session.get(f"{self.url}/api/v1/{what}", params=asked) as response,
        ):
            answer = await response.json()
        if answer["status"] != "success":
            raise ValueError(f"{asked.get('query')}: {answer['error']}")
        return answer["data"]


@asynccontextmanager
async def prometheus(folder: Path) -> AsyncIterator[Prometheus]:
    """Run it for the time of the block. Raises PrometheusMissing."""
    program, check = shutil.which("prometheus"), shutil.which("promtool")
    if program is None or check is None:
        raise PrometheusMissing("install Prometheus (apt install prometheus)")
    configuration, targets, port = folder / "prometheus.yml", folder / "targets.json", free_port()
    await asyncio.to_thread(_write, configuration, targets)
    await _run(check, "check", "config", str(configuration))
    with (folder / "prometheus.log").open("wb") as log:
        process = await asyncio.create_subprocess_exec(
            *(program, "--config.file", str(configuration)),
            *("--storage.tsdb.path", str(folder / "tsdb"), "--query.lookback-delta", "10s"),
            *("--web.listen-address", f"127.0.0.1:{port}"),
            stdout=log,
            stderr=log,
        )
    found = Prometheus(f"http://127.0.0.1:{port}", targets)
    try:
        await _ready(found.url, process)
        yield found
    finally:
        if process.returncode is None:
            process.terminate()
        await process.wait()


def _write(configuration: Path, targets: Path) -> None:
    targets.parent.mkdir(parents=True)
    targets.write_text("[]")
    configuration.write_text(yaml.safe_dump(_configuration(targets)))


def _configuration(targets: Path) -> dict[str, Any]:
    """As deploy/prometheus has it, with other targets, and oftener."""
    job = {
        "job_name": "antiphon",
        "file_sd_configs": [{"files": [str(targets)], "refresh_interval": "1s"}],
    }
    every = f"{SCRAPE_S}s"
    return {
        "global": {"scrape_interval": every, "scrape_timeout": every, "evaluation_interval": every},
        "rule_files": [str(ALERTS)],
        "scrape_configs": [job],
    }


async def _ready(url: str, process: Process) -> None:
    async with aiohttp.ClientSession() as session, asyncio.timeout(READY_S):
        while True:
            assert process.returncode is None
            try:
                async with session.get(f"{url}/-/ready") as answer:
                    if answer.ok:
                        return
            except aiohttp.ClientError:
                pass
            await asyncio.sleep(0.1)


async def _run(*command: str) -> None:
    process = await asyncio.create_subprocess_exec(*command)
    if await process.wait():
        raise ValueError(f"{command} says no")
