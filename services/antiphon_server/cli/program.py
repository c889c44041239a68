"""The program ``antiphon``: the command that argv names, and how it ends."""

import os
import sys
from collections.abc import Sequence
from importlib import import_module

import typer

from antiphon_server.cli.console import CommandError, complain
from antiphon_server.cli.plain import plainly
from antiphon_server.cli.streams import let_go_of_broken_streams, open_closed_streams

_SERVERS = {"up": "antiphon_server.cli.up", "serve": "antiphon_server.cli.serve"}
"""Commands that stay for long, and so load no others."""


def main() -> None:
    """Run the command that argv names."""
    open_closed_streams()
    # What gRPC's core says of broken connections would stand in the middle of a chat.
    os.environ.setdefault("GRPC_VERBOSITY", "NONE")
    try:
        if not _ran(sys.argv[1:]):
            from antiphon_server.cli.main import app

            app(prog_name="antiphon")
    except CommandError as error:
        complain(str(error))
        sys.exit(1)
    except typer.Exit as ended:
        sys.exit(ended.exit_code)
    finally:
        let_go_of_broken_streams()


def _ran(words: Sequence[str]) -> bool:
    """Run a server, if one is asked for and its options are plain."""
    if not words or words[0] not in _SERVERS:
        return False
    command = getattr(import_module(_SERVERS[words[0]]), words[0])
    told = plainly(command, words[1:], os.environ)
    if told is None:
        return False
    command(**told)
    return True
