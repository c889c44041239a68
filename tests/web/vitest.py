"""Runs a file of the tests of `clients/web`, which are in TypeScript."""

import asyncio
import os
import shutil
from pathlib import Path

import pytest

from tests.repository.files import ROOT
from tests.web.control import Control

HERE = ROOT / "clients" / "web"
VITEST = HERE / "node_modules" / ".bin" / "vitest"
IN_A_BROWSER = ("pages", "mesh")
LONGEST_S = 240


async def passes(name: str, page: str, control: Control, pictures: Path) -> None:
    """Fail unless `tests/NAME.test.ts` passes on ``page``; skip without what it needs."""
    if not VITEST.exists():
        pytest.skip("`uv run poe web` installs what is needed from npm")
    if name in IN_A_BROWSER and shutil.which("chromium") is None:
        pytest.skip("there is no chromium here")
    process = await asyncio.create_subprocess_exec(
        *(str(VITEST), "run", f"tests/{name}.test.ts"),
        cwd=HERE,
        env={
            **os.environ,
            "NO_COLOR": "1",
            "ANTIPHON_PAGE": page,
            "ANTIPHON_CONTROL": control.url,
            "ANTIPHON_PICTURES": str(pictures),
        },
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    try:
        async with asyncio.timeout(LONGEST_S):
            output, _ = await process.communicate()
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    print(output.decode(errors="replace"))
    assert process.returncode == 0
