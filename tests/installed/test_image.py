"""The image's recipe, step by step, without an engine; then a container's start.

Shown: each instruction does what it says with what is copied, the second stage needs nothing of
the first but what it takes, and the entry point, the command, the health check and the user fit
together and to what was installed. Not shown: the base image (its Python's version, its Debian),
isolation, layers, volumes, ports of a network of its own. The user is this one: that another may
read all it needs, and need write nothing but its home, is seen by the files.
"""

import os
import stat
import subprocess
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.installed.recipe import Build, Image
from tests.proofs.bench.processes import ROOT, free_port

RECIPE = ROOT / "deploy" / "docker" / "Dockerfile"
START_S = 60.0
pytestmark = pytest.mark.proof


@pytest.fixture(scope="module")
def image() -> Iterator[Image]:
    """What the recipe makes."""
    with tempfile.TemporaryDirectory(prefix="antiphon-image-") as folder:
        yield Build(ROOT, Path(folder, "root")).run(RECIPE.read_text())


def outside(image: Image) -> dict[Path, os.stat_result]:
    """Every file that is not in the user's home."""
    home = Path(f"{image.root}{image.home}")
    files = (path for path in image.root.rglob("*") if home not in (path, *path.parents))
    return {path: path.lstat() for path in files}


def test_a_container_serves_and_is_healthy(image: Image) -> None:
    """Its entry point with its command, until the health check says so; then it answers."""
    port = str(free_port())
    variables = image.environment() | {
        "ANTIPHON_HOST": "127.0.0.1",
        "ANTIPHON_PORT": "0",
        "ANTIPHON_ADMIN_PORT": port,
        "ANTIPHON_MODEL": "scripted/echo",
    }
    check = [
        part.replace(f":{image.variables['ANTIPHON_ADMIN_PORT']}", f":{port}")
        for part in image.health
    ]
    container: dict[str, Any] = {"cwd": image.root, "env": variables, "stdin": subprocess.DEVNULL}
    before = outside(image)
    server = subprocess.Popen([*image.entrypoint, *image.command], **container)
    try:
        until = time.monotonic() + START_S
        while subprocess.run(check, **container, capture_output=True, check=False).returncode:
            assert server.poll() is None
            assert time.monotonic() < until
        asked = [*image.entrypoint, "chat", "--once", "Hello"]
        answer = subprocess.run(
            asked, **container, capture_output=True, text=True, timeout=60, check=False
        )
        assert answer.stdout == "Hello\n", answer.stderr
    finally:
        server.terminate()
        assert server.wait(30) == 0
    assert subprocess.run(check, **container, capture_output=True, check=False).returncode != 0
    assert image.user != 0
    assert outside(image).keys() == before.keys()
    assert [path for path, found in before.items() if not found.st_mode & stat.S_IROTH] == []


@pytest.mark.parametrize("module", ["asyncpg", "redis.asyncio", "envoy_data_plane", "pydantic_ai"])
def test_it_has_what_compose_and_the_manifests_use(image: Image, module: str) -> None:
    """Postgres, Redis, the mesh and providers, of which each container has one part."""
    command = ["python", "-c", f"import {module}"]
    subprocess.run(command, cwd=image.root, env=image.environment(), check=True, timeout=60)
