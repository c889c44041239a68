"""A program that the fork server begins, and the fork server of this process."""

import asyncio
import atexit
import functools
import os
import select
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from typing import IO, Any

from tests.forkserver.asking import MODULE, ask, number
from tests.proofs.bench.processes import ROOT, environment

LOOK_S = 0.01
_END_S = 20.0


@functools.cache
def fork_server() -> str:
    """Where it is asked; it ends with this process."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as asked:
        asked.bind("")  # a name of the system's choice
        asked.listen()
        process = subprocess.Popen(
            [sys.executable, "-m", "tests.forkserver", str(asked.fileno())],
            cwd=ROOT,
            env=environment(),
            stdin=subprocess.PIPE,
            pass_fds=[asked.fileno()],
        )
        atexit.register(process.communicate, timeout=_END_S)
        return str(asked.getsockname()[1:].decode())


class Program:
    """``python -m antiphon_server`` with these words, as a process; begun when it is made.

    ``at_terminal`` makes its stdin the terminal that controls it, as a shell does; ``module`` is
    run in the place of ``antiphon_server``. Raises RuntimeError if the fork server has ended.
    """

    def __init__(
        self,
        words: Sequence[str],
        variables: Mapping[str, str],
        stdout: IO[bytes] | int,
        stderr: IO[bytes] | int,
        stdin: IO[bytes] | int | None = None,
        *,
        at_terminal: bool = False,
        module: str = MODULE,
        folder: str = str(ROOT),
    ) -> None:
        self._code: int | None = None
        with open(os.devnull, "rb") as nothing:
            given = (nothing if stdin is None else stdin, stdout, stderr)
            files = [it if isinstance(it, int) else it.fileno() for it in given]
            how: Any = {"at_terminal": at_terminal, "module": module}
            self._told = ask(fork_server(), words, variables, folder, files, **how)
        self.pid = number(self._told)

    @property
    def returncode(self) -> int | None:
        """How it ended: a signal's number is negative; None while it runs."""
        if self._code is None and select.select([self._told], [], [], 0)[0]:
            self._code = number(self._told)
            os.close(self._told)
        return self._code

    def wait_for(self, timeout: float) -> int:
        """Wait for its end, without a loop. Raises TimeoutError."""
        until = time.monotonic() + timeout
        while (code := self.returncode) is None:
            left = until - time.monotonic()
            if left <= 0:
                raise TimeoutError
            select.select([self._told], [], [], left)
        return code

    async def wait(self) -> int:
        """Wait for its end."""
        while (code := self.returncode) is None:  # noqa: ASYNC110 - told through a pipe
            await asyncio.sleep(LOOK_S)
        return code

    def send_signal(self, number: int) -> None:
        """Send a signal, if it runs."""
        if self.returncode is None:
            os.kill(self.pid, number)

    def terminate(self) -> None:
        """Send SIGTERM."""
        self.send_signal(signal.SIGTERM)

    def kill(self) -> None:
        """Send SIGKILL."""
        self.send_signal(signal.SIGKILL)


def run(
    words: Sequence[str], variables: Mapping[str, str], stdin: str = "", timeout: float = 60
) -> "subprocess.CompletedProcess[str]":
    """Run ``antiphon`` to its end. Raises TimeoutError after ending it."""
    given, out, err = (tempfile.TemporaryFile() for _ in range(3))  # noqa: SIM115 - closed below
    with given, out, err:
        given.write(stdin.encode())
        given.seek(0)
        program = Program(words, variables, out, err, given)
        try:
            code = program.wait_for(timeout)
        except BaseException:
            program.kill()
            raise
        return subprocess.CompletedProcess(list(words), code, _text(out), _text(err))


def _text(file: IO[bytes]) -> str:
    file.seek(0)
    return file.read().decode()
