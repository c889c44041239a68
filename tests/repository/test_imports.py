import subprocess
import sys

import pytest

HEAVY = (
    "aiohttp",
    "alembic",
    "anthropic",
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
        "antiphon_server.integration.compose",
        LOADED,
    ],
)
def test_starting_imports_nothing_heavy(module: str) -> None:
    """What costs time and memory is imported when it is first used."""
    program = f"import sys, {module}; print(*set({HEAVY!r}) & set(sys.modules))"
    assert printed(program) == []


def printed(program: str) -> list[str]:
    """What a program of another process prints."""
    run = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=False
    )
    assert run.returncode == 0, run.stderr
    return run.stdout.split()
