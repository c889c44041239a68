"""Stores of tests end with whoever started them, however that ended."""

import subprocess
import sys

import psutil

from tests.proofs.bench.processes import ROOT, environment

WITHIN_S = 20.0
STARTS_BOTH = """
import asyncio, os
from tests.fakes.postgres import Postgres
from tests.fakes.valkey import Valkey

async def main():
    valkey, postgres = Valkey(), Postgres()
    await valkey.start()
    postgres.start()
    print(valkey.pid, postgres.pid, flush=True)
    os.kill(os.getpid(), 9)

asyncio.run(main())
"""


def test_they_end_with_whoever_started_them() -> None:
    """A run of tests that was killed leaves neither Postgres nor Valkey behind."""
    done = subprocess.run(
        [sys.executable, "-c", STARTS_BOTH],
        cwd=ROOT,
        env=environment({}),
        stdout=subprocess.PIPE,
        text=True,
        check=False,
        timeout=60,
    )
    left = [psutil.Process(int(pid)) for pid in done.stdout.split() if psutil.pid_exists(int(pid))]
    assert len(done.stdout.split()) == 2
    _, alive = psutil.wait_procs(left, WITHIN_S)
    for each in alive:
        each.kill()
    assert alive == []
