"""What the experts' command lines have in common."""

import argparse
import asyncio
import os
import sys

from antiphon_client.worker import Worker

_ENVIRONMENT = """environment:
  ANTIPHON_ADDRESS  the server, such as localhost:7450
  ANTIPHON_API_KEY  a key that may serve the handler: `antiphon workers invite {name}` prints both
"""


def parser(name: str, help: str) -> argparse.ArgumentParser:
    """A parser that says how to be told of the server."""
    return argparse.ArgumentParser(
        prog=f"python -m experts.{name}",
        description=help,
        epilog=_ENVIRONMENT.format(name=name),
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )


def served(worker: Worker) -> None:
    """Serve until Ctrl-C or SIGTERM."""
    if not os.environ.get("ANTIPHON_API_KEY"):
        sys.exit(f"ANTIPHON_API_KEY is not set.\n\n{_ENVIRONMENT.format(name='NAME')}")
    asyncio.run(worker.run())
