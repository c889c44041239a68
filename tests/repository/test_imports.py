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
    "mcp",
    "opentelemetry.sdk",
    "pydantic_ai",
    "redis",
    "sqlalchemy.dialects.postgresql",
    "xllamacpp",
)


@pytest.mark.parametrize("module", ["antiphon_server.cli.main", "antiphon_server.app"])
def test_starting_imports_nothing_heavy(module: str) -> None:
    """What costs time and memory is imported when it is first used."""
    program = f"import sys, {module}; print(*set({HEAVY!r}) & set(sys.modules))"
    run = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=False
    )
    assert run.returncode == 0, run.stderr
    assert run.stdout.split() == []
