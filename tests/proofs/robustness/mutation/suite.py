"""Tests of the suite, run on code with a defect."""

import asyncio
import re
import sys
from collections.abc import Sequence

from tests.proofs.bench.processes import ROOT, environment
from tests.proofs.robustness.mutation.__main__ import VARIABLE

TESTS_S = 200.0
PASSED, FAILED = 0, 1
_FAILED = re.compile(r"^FAILED \S+?::(\w+)", re.MULTILINE)


async def run_tests(tests: Sequence[str], defect: str) -> list[str]:
    """Run them with a defect, or without; returns those that failed, ``name: failed``.

    Raises RuntimeError if they could not be run.
    """
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "pytest", "-p", "tests.proofs.robustness.mutation.planting"),
        *("-rf", *tests),
        cwd=ROOT,
        env=environment({VARIABLE: defect}),
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    async with asyncio.timeout(TESTS_S):
        output, _ = await process.communicate()
    said = output.decode(errors="replace")
    if process.returncode not in (PASSED, FAILED):
        raise RuntimeError(said[-2000:])
    return [f"{name}: failed" for name in dict.fromkeys(_FAILED.findall(said))]
