"""A server of this program's own, for as long as it runs."""

import contextlib
import json
import os
import select
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import IO

from antiphon_server.cli.console import CommandError

_START_S = 60.0
_STOP_S = 10.0
STAYS = json.dumps({"stays": True}) + "\n"
"""What the child says if it outlives this process, because others use it."""


class LocalServer:
    """Starts ``antiphon up`` as a child; it ends with :meth:`stop`, or when this process does.

    The child reads its stdin and stops at its end, which the system brings about however
    this process ends; if others use it by then, when they have left. Its logs go to a
    file, whose end is shown if it can't start.
    """

    def __init__(self, data_dir: Path, model: str = "") -> None:
        self._data_dir = data_dir
        self._model = model
        self._port = 0
        self._child: subprocess.Popen[bytes] | None = None
        self._log: IO[bytes] | None = None

    def start(self) -> str:
        """Start it and wait until it serves; return its address. Raises CommandError."""
        child = self._spawn()
        try:
            ready = _first_line(child, time.monotonic() + _START_S)
            address = str(json.loads(ready)["address"])
        except (ValueError, KeyError):
            self.stop()
            raise CommandError(f"the server did not start:\n{self._last_words()}") from None
        self._port = int(address.rpartition(":")[2])
        return address

    def revive(self) -> bool:
        """If it has died, start it again on the same port, without waiting for it."""
        if self._child is None or self._child.poll() is None:
            return False
        self._spawn()
        return True

    def stop(self) -> None:
        """End it and wait for that, or leave it to the others who use it."""
        if self._child is None:
            return
        child, self._child = self._child, None
        with contextlib.suppress(OSError):
            assert child.stdin is not None
            child.stdin.close()
        if _stays(child, time.monotonic() + _STOP_S):
            return
        try:
            child.wait(_STOP_S)
        except subprocess.TimeoutExpired:
            child.kill()
            child.wait()

    def _spawn(self) -> "subprocess.Popen[bytes]":
        command = [sys.executable, "-m", "antiphon_server", "up", "--session"]
        command += ["--port", str(self._port), "--admin-port", "0"]
        command += ["--data-dir", str(self._data_dir), "--log-format", "json"]
        if self._model:
            command += ["--model", self._model]
        self._log = self._log or tempfile.TemporaryFile()  # noqa: SIM115 - lives as long as this
        self._child = subprocess.Popen(
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._log,
            start_new_session=True,  # Ctrl-C is for this program, not for its server
        )
        return self._child

    def _last_words(self) -> str:
        if self._log is None:
            return ""
        size = self._log.seek(0, os.SEEK_END)
        self._log.seek(max(0, size - 2000))
        return self._log.read().decode(errors="replace").strip() or "(it said nothing)"


def _stays(child: "subprocess.Popen[bytes]", until: float) -> bool:
    """Whether the child says so before it ends."""
    while line := _first_line(child, until):
        if line.endswith(STAYS.encode()):
            return True
    return False


def _first_line(child: "subprocess.Popen[bytes]", until: float) -> bytes:
    """The child's first line; empty if it ended or took too long."""
    assert child.stdout is not None
    line = b""
    while not line.endswith(b"\n"):
        readable, _, _ = select.select([child.stdout], [], [], max(0.0, until - time.monotonic()))
        piece = os.read(child.stdout.fileno(), 4096) if readable else b""
        if not piece:
            return b""
        line += piece
    return line
