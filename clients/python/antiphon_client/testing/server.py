"""A server for tests: a port and a data directory of its own, and a scripted model."""

import asyncio
import importlib.util
import json
import os
import secrets
import select
import subprocess
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from types import TracebackType
from typing import IO, Self

from antiphon_client.client import Client
from antiphon_client.credentials import ApiKey, Credentials, Password

_PREFIX = "ANTIPHON_"
_MODEL = "scripted/echo"
_START_S, _STOP_S = 60.0, 10.0
_NOT_INSTALLED = (
    "there is no server here: install `antiphon` in the environment of the tests, or say by "
    "`command` how `antiphon` is run"
)


class DidNotStart(Exception):
    """The server did not start; the message has its last words."""


class Server:
    """A server as a process; a context manager, as blocking as a process's start and end.

    Its model repeats the question word by word, or says what ``answers`` has for it, each word
    ``gap_ms`` after the one before. ``settings`` are the server's, such as
    ``{"ANTIPHON_…": "…"}``; none comes from this process's environment. ``command``
    runs ``antiphon`` if that is in another environment. It ends with this process, too.
    """

    def __init__(
        self,
        *,
        answers: Mapping[str, str] | None = None,
        gap_ms: float = 0.0,
        settings: Mapping[str, str] | None = None,
        command: Sequence[str] = (),
    ) -> None:
        script = {"answers": dict(answers or {}), "gap_ms": gap_ms}
        models = json.dumps([{"name": _MODEL, "kind": "scripted", "script": script}])
        inherited = {name: it for name, it in os.environ.items() if not name.startswith(_PREFIX)}
        self._environment = {**inherited, f"{_PREFIX}MODELS": models, **(settings or {})}
        self._command = command

    def __enter__(self) -> Self:
        """Start it. Raises DidNotStart."""
        if not self._command and importlib.util.find_spec("antiphon_server") is None:
            raise DidNotStart(_NOT_INSTALLED)
        self._folder = tempfile.TemporaryDirectory(prefix="antiphon-", ignore_cleanup_errors=True)
        self._log = tempfile.TemporaryFile()
        try:
            self._child = self._spawn()
        except OSError as error:
            self._log.close()
            self._folder.cleanup()
            raise DidNotStart(f"the server can't be run: {error}") from error
        try:
            told = json.loads(_first_line(self._child.stdout, time.monotonic() + _START_S))
        except ValueError:
            self.__exit__(None, None, None)
            raise DidNotStart(f"the server did not start:\n{self._said}") from None
        self.address: str = told["address"]
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """End it, and remove what it has kept."""
        assert self._child.stdin is not None
        self._child.stdin.close()  # it stops at the end of its input, however that comes
        try:
            self._child.wait(_STOP_S)
        except subprocess.TimeoutExpired:
            self._child.kill()
            self._child.wait()
        assert self._child.stdout is not None
        self._child.stdout.close()
        self._log.seek(0)
        self._said = self._log.read()[-2000:].decode(errors="replace").strip()
        self._log.close()
        self._folder.cleanup()

    @property
    def data_dir(self) -> Path:
        """Where it keeps its data."""
        return Path(self._folder.name)

    @property
    def key(self) -> ApiKey:
        """The credential of its operator, who may do everything."""
        return ApiKey((self.data_dir / "operator.key").read_text().strip())

    def client(self, credentials: Credentials | None = None) -> Client:
        """A client of the operator, or of somebody else."""
        return Client.connect(self.address, credentials or self.key)

    async def user(self, name: str) -> Password:
        """Make a user; returns their credentials."""
        password = secrets.token_urlsafe(16)
        async with self.client() as operator:
            await operator.create_user(name, password)
        return Password(name, password)

    def _spawn(self) -> "subprocess.Popen[bytes]":
        command = [*(self._command or (sys.executable, "-m", "antiphon_server"))]
        command += ["up", "--session", "--port", "0", "--admin-port", "0", "--model", _MODEL]
        command += ["--data-dir", self._folder.name, "--log-format", "json"]
        return subprocess.Popen(
            command,
            env=self._environment,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._log,
            start_new_session=True,  # Ctrl-C is for the tests
        )


@asynccontextmanager
async def running_server(
    *,
    answers: Mapping[str, str] | None = None,
    gap_ms: float = 0.0,
    settings: Mapping[str, str] | None = None,
    command: Sequence[str] = (),
) -> AsyncIterator[Server]:
    """A :class:`Server` for the time of the block, started and ended beside the loop."""
    server = Server(answers=answers, gap_ms=gap_ms, settings=settings, command=command)
    await asyncio.to_thread(server.__enter__)
    try:
        yield server
    finally:
        await asyncio.to_thread(server.__exit__, None, None, None)


def _first_line(output: IO[bytes] | None, until: float) -> bytes:
    """The first line of a process's output; what there is of it if it ended or took too long."""
    assert output is not None
    line = b""
    while not line.endswith(b"\n"):
        readable, _, _ = select.select([output], [], [], max(0.0, until - time.monotonic()))
        piece = os.read(output.fileno(), 4096) if readable else b""
        if not piece:
            break
        line += piece
    return line
