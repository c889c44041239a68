"""What the experts' command lines have in common."""

import argparse
import asyncio
import logging
import os
import sys

from antiphon_client import AntiphonError
from antiphon_client.redial import Connection
from antiphon_client.worker import Worker

ANEW = "\n\n*Whoever was at this is gone; here is the answer from its beginning.*\n\n"
"""What a second attempt says first, where the answer is not the same each time."""

_ENVIRONMENT = """environment:
  ANTIPHON_ADDRESS  the server, such as localhost:7450
  ANTIPHON_API_KEY  a key that may serve the handler
                    (`antiphon workers invite {name}` prints both)
"""


def parser(name: str, help: str) -> argparse.ArgumentParser:
    """A parser that says how to be told of the server."""
    return argparse.ArgumentParser(
        prog=f"python -m experts.{name}",
        description=help,
        epilog=_ENVIRONMENT.format(name=name),
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )


def shown(connection: Connection) -> None:
    """Say on standard error how the connection is, when that changes."""
    if connection.state == "connected":
        print("connected: turns come as they are asked for", file=sys.stderr)
    elif connection.error is not None:
        print(f"{connection.error}; trying again in {connection.pause:.1f} s", file=sys.stderr)


def served(worker: Worker) -> None:
    """Serve until Ctrl-C or SIGTERM."""
    logging.basicConfig(level=logging.WARNING)
    if not os.environ.get("ANTIPHON_API_KEY"):
        sys.exit(f"ANTIPHON_API_KEY is not set.\n\n{_ENVIRONMENT.format(name='NAME')}")
    try:
        asyncio.run(worker.run())
    except AntiphonError as error:
        sys.exit(str(error))
