"""The process that forks until its stdin ends: ``python -m tests.forkserver FD``.

Each connection at the socket asks for a process: JSON, with the files that are its stdin, stdout
and stderr, and one to which its id is written, and how it ended; see
:mod:`tests.forkserver.program`.
"""

import atexit
import contextlib
import fcntl
import gc
import importlib
import io
import json
import os
import runpy
import selectors
import signal
import socket
import sys
import termios
import threading
import time
from pathlib import Path
from typing import Any

from tests.forkserver.asking import MODULE, PYTHON, SERVER

LONGEST = 1 << 20
# What programs import when they run.
_OF_A_MESH = f"{MODULE}.mesh.edge.static"  # Envoy's types, which take a second
_LATE = (
    *("_zoneinfo", "encodings.idna", "grpc_reflection.v1alpha.reflection", "markdown_it"),
    *("protovalidate", "shellingham", "typer._adapters", f"{MODULE}.agents.compose"),
)


def prepare() -> None:
    """Import what commands and servers import."""
    cli = importlib.import_module(f"{MODULE}.cli")
    folder = Path(cli.__path__[0])
    for file in folder.rglob("*.py"):
        name = ".".join((cli.__name__, *file.relative_to(folder).with_suffix("").parts))
        importlib.import_module(name.removesuffix(".__init__"))
    for name in (f"{MODULE}.app", *_LATE):
        importlib.import_module(name)
    for service in importlib.import_module(f"{MODULE}.installation").SERVICES:
        service.load()
    assert threading.active_count() == 1, threading.enumerate()
    gc.freeze()  # so that a collection in a child does not copy all of it


def serve(asked_at: socket.socket) -> tuple[dict[str, Any], list[int]] | None:
    """Fork as asked, and say how each ended; returns in each child, and at the end of stdin."""
    with selectors.DefaultSelector() as events:
        events.register(0, selectors.EVENT_READ)
        events.register(asked_at, selectors.EVENT_READ)
        while True:
            for key, _ in events.select():
                if key.fileobj == 0:
                    return None
                if key.fileobj is not asked_at:
                    events.unregister(key.fileobj)
                    _tell_end(*key.data)
                    continue
                with asked_at.accept()[0] as connection:
                    asked, files, _, _ = socket.recv_fds(connection, LONGEST, 4)
                if {"mesh", "--mesh"} & set(json.loads(asked)["words"]):
                    importlib.import_module(_OF_A_MESH)
                pid = os.fork()
                if not pid:
                    return json.loads(asked), files
                *given, told = files
                for file in given:
                    os.close(file)
                _tell(told, pid)
                ended = os.pidfd_open(pid)
                events.register(ended, selectors.EVENT_READ, (pid, ended, told))


def _tell_end(pid: int, ended: int, told: int) -> None:
    _tell(told, os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))
    os.close(ended)
    os.close(told)


def _tell(told: int, number: int) -> None:
    with contextlib.suppress(BrokenPipeError):  # nobody waits for it any more
        os.write(told, b"%d\n" % number)


def become(asked: dict[str, Any], files: list[int], server: str) -> None:
    """Be a process that has just begun, with these files, environment and folder.

    The servers that it begins itself are begun by the fork ``server``, too.
    """
    for number in range(3):
        os.dup2(files[number], number)
    os.closerange(3, os.sysconf("SC_OPEN_MAX"))
    os.environ.clear()
    os.environ.update(asked["environment"], **{SERVER: server, PYTHON: sys.executable})
    sys.executable = str(Path(__file__).with_name("python"))
    time.tzset()
    os.chdir(asked["folder"])
    if asked["at_terminal"]:
        os.setsid()
        fcntl.ioctl(0, termios.TIOCSCTTY, 0)
        signal.signal(signal.SIGINT, signal.default_int_handler)
    sys.stdin = open(0, closefd=False)  # noqa: SIM115 - until it ends
    sys.stdout = _writer(1)
    sys.stderr = _writer(2, errors="backslashreplace", line_buffering=True)
    sys.argv = [MODULE, *asked["words"]]


def _writer(number: int, *, line_buffering: bool = False, errors: str = "strict") -> Any:
    plain = bool(os.environ.get("PYTHONUNBUFFERED"))
    return io.TextIOWrapper(
        open(number, "wb", 0 if plain else -1, closefd=False),
        errors=errors,
        line_buffering=line_buffering or os.isatty(number),
        write_through=plain,
    )


def _run(module: str, codes: list[int]) -> None:
    try:
        runpy.run_module(module, run_name="__main__", alter_sys=True)
    except SystemExit as ended:
        if ended.code is None or isinstance(ended.code, int):
            codes.append(ended.code or 0)
        raise


def _leave(codes: list[int]) -> None:
    """End without taking down all that was imported: it would be copied for that."""
    with contextlib.suppress(OSError, ValueError):  # Python says it
        for code in codes:
            sys.stdout.flush()
            sys.stderr.flush()
            os._exit(code)


def main() -> None:
    """Fork until nobody can ask any more; a child becomes the program."""
    codes: list[int] = []
    atexit.register(_leave, codes)  # the first of them, so it is called last
    asked_at = socket.socket(fileno=int(sys.argv[1]))
    server = asked_at.getsockname()[1:].decode()
    # Ctrl-C is for what is begun here, and for who asks for it.
    interrupted = signal.signal(signal.SIGINT, signal.SIG_IGN)
    prepare()
    child = serve(asked_at)
    if child is None:
        return
    signal.signal(signal.SIGINT, interrupted)
    asked_at.close()
    become(*child, server)
    _run(child[0]["module"], codes)


if __name__ == "__main__":
    main()
