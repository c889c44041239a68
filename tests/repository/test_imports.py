import re
import subprocess
import sys

import pytest

from tests.proofs.bench.processes import ROOT

HEAVY = (
    "aiohttp",
    "alembic",
    "anthropic",
    "antiphon_client",
    "betterproto2",
    "envoy_data_plane",
    "genai_prices",
    "google.genai",
    "httpx",
    "mcp",
    "opentelemetry.sdk",
    "prompt_toolkit",
    "pydantic_ai",
    "redis",
    "rich",
    "sqlalchemy.dialects.postgresql",
    "xllamacpp",
)


LOADED = "antiphon_server.installation; [it.load() for it in antiphon_server.installation.SERVICES]"


def test_a_process_imports_no_service_that_it_does_not_run() -> None:
    """Before it is composed, what is known of a service is its descriptor."""
    program = """
import sys
import antiphon_server.app
from antiphon_server.installation import EVENTS, NAMES
EVENTS.load()
print(*(name for name in NAMES if f"antiphon_server.{name}.servicer" in sys.modules))
"""
    assert printed(program) == ["events"]


@pytest.mark.parametrize(
    "module",
    [
        "antiphon_server.cli.main",
        "antiphon_server.app",
        "antiphon_server.integration.compose.integration",
        LOADED,
    ],
)
def test_starting_imports_nothing_heavy(module: str) -> None:
    """What costs time and memory is imported when it is first used."""
    program = f"import sys, {module}; print(*set({HEAVY!r}) & set(sys.modules))"
    assert printed(program) == []


def test_a_server_that_draws_no_traces_does_without_rich() -> None:
    """By itself structlog would bring it; whoever imports rich later gets it."""
    program = """
import sys
import antiphon_server.app, antiphon_server.runtime.telemetry.logs
print(*{"rich", "pygments"} & set(sys.modules))
import rich.console
print(rich.console.Console.__name__)
"""
    assert printed(program) == ["Console"]


def test_whoever_logs_does_so_without_rich() -> None:
    """Structlog would import it, so it is taken from where that is seen to."""
    own = "antiphon_server/runtime/telemetry/structured.py"
    pattern = re.compile(r"^\s*(import structlog|from structlog)", re.MULTILINE)
    files = (ROOT / "services").rglob("*.py")
    found = [file for file in files if pattern.search(file.read_text())]
    assert [file.relative_to(ROOT / "services").as_posix() for file in found] == [own]


@pytest.mark.parametrize(
    "module", ["antiphon_server.cli.start_failures", "antiphon_server.backups"]
)
def test_extras_are_not_needed_without_them(module: str) -> None:
    """Why a server did not start is said, and a backup made, where Postgres' packages are not."""
    program = f"import sys; sys.modules.update(greenlet=None, asyncpg=None); import {module}"
    assert printed(program) == []


def printed(program: str) -> list[str]:
    """What a program of another process prints."""
    run = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=False
    )
    assert run.returncode == 0, run.stderr
    return run.stdout.split()
