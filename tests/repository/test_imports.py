import subprocess
import sys

HEAVY = (
    "aiohttp",
    "alembic",
    "anthropic",
    "genai_prices",
    "google.genai",
    "mcp",
    "opentelemetry.sdk",
    "pydantic_ai",
    "xllamacpp",
)


def test_the_command_line_imports_nothing_heavy() -> None:
    """What costs time and memory is imported when it is first used, not by `antiphon --help`."""
    program = f"import sys, antiphon_server.cli; print(*set({HEAVY!r}) & set(sys.modules))"
    run = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=False
    )
    assert run.returncode == 0, run.stderr
    assert run.stdout.split() == []
