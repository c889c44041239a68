"""Starts a load as a process."""

import asyncio
import json
import sys
from typing import Any

from tests.proofs.bench.processes import ROOT, environment

TIMEOUT_S = 300.0


class LoadFailed(Exception):
    """A load ended without a result; the message holds what it printed."""


async def spawn_load(name: str, job: dict[str, Any]) -> dict[str, Any]:
    """Run ``tests.proofs.bench.loads.NAME`` and return its result. Raises LoadFailed."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "tests.proofs.bench.loads", name),
        cwd=ROOT,
        env=environment(),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    try:
        async with asyncio.timeout(TIMEOUT_S):
            out, errors = await process.communicate(json.dumps(job).encode())
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    if process.returncode:
        raise LoadFailed(f"{name}: {errors.decode()[-3000:]}")
    result: dict[str, Any] = json.loads(out.splitlines()[-1])
    return result
