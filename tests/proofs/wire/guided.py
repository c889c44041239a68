"""Inputs that coverage leads to new paths: ``python -m tests.proofs.wire.guided --seconds 60``.

Needs the dependency group ``proof``. The server runs in this process, instrumented; an input is
an RPC, a caller and the bytes of a request. What it finds wrong is raised, and kept by Atheris.
"""

import argparse
import asyncio
import json
import random
import sys
import tempfile
import time
from collections import Counter
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

SEEDS_EACH = 6
WHO = ("user", "operator", "nobody", "forged")
LONGEST = 4096
SAY_EVERY = 500


class Guided:
    """The server, and the loop that it runs on between Atheris's inputs."""

    def __init__(self, home: Path, seed: int, figures: Path | None) -> None:
        from tests.e2e.contracts import every_rpc
        from tests.proofs.wire.inputs import RARE

        self._loop = asyncio.new_event_loop()
        self._home = home
        self._rng = random.Random(seed)
        self._seed = seed
        self._figures = figures
        self._stack = AsyncExitStack()
        self._began = time.monotonic()
        self._rpcs = [rpc for rpc in every_rpc() if rpc.method.name not in RARE]
        self._runs = 0
        self._outcomes: Counter[str] = Counter()
        self._world: Any = None
        self._trials: Any = None

    def begin(self) -> None:
        """Start the server and write the seeds."""
        self._loop.run_until_complete(self._begin())

    async def _begin(self) -> None:
        from tests.proofs.wire.targets import in_process
        from tests.proofs.wire.trial import Trials
        from tests.proofs.wire.world import World

        target = await self._stack.enter_async_context(in_process(self._home))
        self._world = World(target.channels[0], target.operator_key)
        await self._world.begin()
        by_path = {rpc.path: rpc for rpc in self._rpcs}
        self._trials = Trials(
            target.channels[0], by_path, self._world.token, self._world.learn, local=True
        )

    def seeds(self, directory: Path) -> None:
        """Well-formed requests to begin with."""
        from tests.proofs.wire.grammar import Grammar

        grammar = Grammar(self._world.pools["user"], self._rng)
        for at, rpc in enumerate(self._rpcs):
            for nth in range(SEEDS_EACH):
                request = grammar.message(rpc.request_type).SerializeToString()
                name = f"{rpc.method.name}-{nth}"
                (directory / name).write_bytes(bytes([at, nth % 2]) + request)

    def one(self, data: bytes) -> None:
        """Run one input. Raises AssertionError if it was not answered as it should be."""
        if len(data) < 2:
            return
        verdict = self._loop.run_until_complete(self._run(data))
        self._runs += 1
        self._outcomes[verdict.outcome] += 1
        if self._runs % SAY_EVERY == 0:
            self._write()
        assert not verdict.problem, verdict.problem

    async def _run(self, data: bytes) -> Any:
        from tests.proofs.wire.inputs import Input
        from tests.proofs.wire.world import LOST

        rpc, who = self._rpcs[data[0] % len(self._rpcs)], WHO[data[1] % len(WHO)]
        verdict = await self._trials.run(Input(rpc.path, who, (data[2:],)))
        if verdict.outcome in LOST and who in self._world.pools:
            await self._world.sign_in(who)
        return verdict

    def _write(self) -> None:
        if self._figures is not None:
            found = {
                "seed": self._seed,
                "inputs": self._runs,
                "seconds": round(time.monotonic() - self._began, 1),
                "outcomes": dict(self._outcomes.most_common()),
            }
            self._figures.write_text(json.dumps(found, indent=1) + "\n")


def main() -> None:
    """Set up, and leave the rest to Atheris, which ends the process."""
    parser = argparse.ArgumentParser(prog="python -m tests.proofs.wire.guided", description=__doc__)
    parser.add_argument("--seconds", type=int, default=60)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--json", type=Path)
    arguments = parser.parse_args()
    import atheris

    with atheris.instrument_imports(include=["antiphon_server"]):
        import antiphon_server.app  # noqa: F401  (so that it is instrumented)
        from antiphon_server.installation import SERVICES

        for service in SERVICES:
            service.load()
    home = tempfile.TemporaryDirectory()
    corpus = Path(home.name) / "corpus"
    corpus.mkdir()
    guided = Guided(Path(home.name), arguments.seed, arguments.json)
    guided.begin()
    guided.seeds(corpus)
    options = [
        f"-max_total_time={arguments.seconds}",
        f"-seed={arguments.seed}",
        f"-max_len={LONGEST}",
        "-timeout=30",
        "-rss_limit_mb=2048",
        f"-artifact_prefix={home.name}/",
    ]
    atheris.Setup([sys.argv[0], *options, str(corpus)], guided.one)
    atheris.Fuzz()


if __name__ == "__main__":
    main()
