"""Runs a file of the tests of `clients/web`, which are in TypeScript."""

import asyncio
import os
from pathlib import Path

from tests.programs import VITEST, WEB
from tests.web.control import Control

NEEDED = ("npm", str(VITEST))
IN_A_BROWSER = (*NEEDED, "chromium")
LONGEST_S = 240


async def passes(name: str, page: str, control: Control, pictures: Path) -> None:
    """Fail unless `tests/NAME.test.ts` passes on ``page``."""
    process = await asyncio.create_subprocess_exec(
        *(str(VITEST), "run", f"tests/{name}.test.ts"),
        cwd=WEB,
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
