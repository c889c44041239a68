"""``python -m tests.proofs.bench.loads NAME``: reads a job (JSON) from stdin, prints its result."""

import asyncio
import importlib
import json
import sys
from typing import Any


def main() -> None:
    """Run the load ``tests.proofs.bench.loads.NAME``."""
    load = importlib.import_module(f"tests.proofs.bench.loads.{sys.argv[1]}")
    job: dict[str, Any] = json.load(sys.stdin)
    print(json.dumps(asyncio.run(load.run(load.Job(**job)))))


if __name__ == "__main__":
    main()
