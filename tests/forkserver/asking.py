"""Asks a fork server for a process. As a program it is ``antiphon`` for shells under test.

It imports little, and nothing from beyond the standard library: then it begins in a hundredth
of a second.
"""

import json
import os
import signal
import socket
import sys
from collections.abc import Mapping, Sequence

MODULE = "antiphon_server"
SERVER = "TESTS_FORKSERVER"
"""The variable with the name, in Linux's abstract namespace, of the socket at which it is asked."""
PYTHON = "TESTS_PYTHON"
"""The variable with the interpreter, for who calls ``bin/python`` its own."""


def ask(
    server: str,
    words: Sequence[str],
    variables: Mapping[str, str],
    folder: str,
    files: Sequence[int],
    *,
    at_terminal: bool = False,
    module: str = MODULE,
) -> int:
    """Ask for ``antiphon`` with stdin, stdout and stderr; where its numbers are told.

    The first is its id, the second how it ended. Another ``module`` may be it with a difference.
    """
    asked = {
        "words": list(words),
        "environment": dict(variables),
        "folder": folder,
        "at_terminal": at_terminal,
        "module": module,
    }
    told, tell = os.pipe()
    try:
        with socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as connection:
            connection.connect(f"\0{server}")
            socket.send_fds(connection, [json.dumps(asked).encode()], [*files, tell])
    finally:
        os.close(tell)
    return told


def number(told: int) -> int:
    """Wait for the next of its numbers. Raises RuntimeError if the fork server has ended."""
    said = b""
    while not said.endswith(b"\n"):
        piece = os.read(told, 1)
        if not piece:
            raise RuntimeError("the fork server has ended")
        said += piece
    return int(said)


def main() -> int:
    """Be ``antiphon``, as the shell sees it: its files, its signals, its end."""
    told = ask(os.environ[SERVER], sys.argv[1:], os.environ, os.getcwd(), (0, 1, 2))
    pid = number(told)
    for each in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(each, lambda it, _: os.kill(pid, it))
    code = number(told)
    return code if code >= 0 else 128 - code


if __name__ == "__main__":
    sys.exit(main())
