"""The programs of clients/examples: how each is built, started and read."""

import asyncio
import os
import re
import signal
from asyncio.subprocess import DEVNULL, PIPE, Process
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from tests.e2e.until import PATIENCE_S
from tests.programs import PATH
from tests.proofs.bench.processes import ROOT, environment

EXAMPLES = ROOT / "clients" / "examples"
BUILD_S = 900.0  # packages are fetched and compiled, on a machine that is busy
_ENDED = re.compile(
    r"^(?P<conversation>conv_\S+) (?P<turn>turn_\S+) TURN_STATE_(?P<state>\w+):"
    r" events (?P<first>\d+)-(?P<last>\d+), connections (?P<connections>\d+)$",
    re.MULTILINE,
)


@dataclass(frozen=True, slots=True)
class Example:
    """A folder, what has to be run in it once, what asks a question, and what is a worker."""

    folder: str
    needs: Sequence[str]
    build: Sequence[Sequence[str]]
    converse: Sequence[str]
    worker: Sequence[str] = ()
    handler: str = ""


GENERATE = ("buf", "generate")
NODE = Example(
    "node",
    ["npm"],
    [("npm", "install", "--no-package-lock", "--no-audit", "--no-fund", "--loglevel=error")],
    ("node", "converse.js"),
    ("node", "worker.js"),
    "readability",
)
GO = Example(
    "go",
    ["go"],
    [
        GENERATE,
        ("go", "build", "-o", "{out}/converse", "."),
        ("go", "build", "-o", "{out}/worker", "./worker"),
    ],
    ("{out}/converse",),
    ("{out}/worker",),
    "tables",
)
DATACLASSES = Example("betterproto2", [], [GENERATE], ("python", "converse.py"))
ALL = (NODE, GO, DATACLASSES)
WORKERS = (NODE, GO)


@dataclass(frozen=True, slots=True)
class Told:
    """What a program said last: of its turn, and of the events that it took."""

    conversation_id: str
    turn_id: str
    state: str
    first: int
    last: int
    connections: int


@dataclass(frozen=True, slots=True)
class Ended:
    """What a program printed, and how it exited."""

    code: int
    text: str
    errors: str

    @property
    def told(self) -> Told:
        """Its last line."""
        found = _ENDED.search(self.errors)
        assert found is not None, self.errors
        conversation, turn, state, *numbers = found.groups()
        return Told(conversation, turn, state, *map(int, numbers))


class Run:
    """A program that is running: its text as it comes, and its end."""

    def __init__(self, process: Process, *, leads: bool = False) -> None:
        self._process, self._leads = process, leads
        self._text = b""

    async def read_until(self, text: str) -> None:
        """Wait until it has printed this."""
        assert self._process.stdout is not None
        async with asyncio.timeout(PATIENCE_S):
            while text.encode() not in self._text:
                piece = await self._process.stdout.read(65536)
                assert piece, f"ended after {self._text!r}: {(await self.ended()).errors}"
                self._text += piece

    def interrupt(self) -> None:
        """Press Ctrl-C."""
        self._process.send_signal(signal.SIGINT)

    @property
    def over(self) -> bool:
        """Whether it has ended."""
        return self._process.returncode is not None

    async def ended(self) -> Ended:
        """Wait until it ends by itself."""
        async with asyncio.timeout(PATIENCE_S):
            text, errors = await self._process.communicate()
        assert self._process.returncode is not None
        return Ended(self._process.returncode, (self._text + text).decode(), errors.decode())

    async def kill(self) -> None:
        """End it if it still runs, and with one that ``leads`` what it has begun."""
        if self._process.returncode is None:
            if self._leads:
                os.killpg(self._process.pid, signal.SIGKILL)
            else:
                self._process.kill()
            await self._process.wait()


async def build(example: Example, out: Path) -> None:
    """Do what has to be done once. Raises TimeoutError."""
    async with asyncio.timeout(BUILD_S):
        for command in example.build:
            process = await _start(example, command, out, {})
            _, errors = await process.communicate()
            assert process.returncode == 0, f"{' '.join(command)}: {errors.decode()}"


async def start(
    example: Example, out: Path, variables: Mapping[str, str], question: str, *options: str
) -> Run:
    """Ask a question; ``variables`` say where and as whom."""
    return Run(await _start(example, (*example.converse, *options, question), out, variables))


async def start_worker(example: Example, out: Path, variables: Mapping[str, str]) -> Run:
    """Begin to serve its handler; ``variables`` say where and as whom."""
    return Run(await _start(example, example.worker, out, variables))


async def typed_in(script: str) -> Run:
    """Begin what is typed into a shell; its last command goes on in its place."""
    process = await asyncio.create_subprocess_exec(
        *("bash", "-c", script),
        env=environment({"PATH": PATH}),
        stdin=DEVNULL,
        stdout=PIPE,
        stderr=PIPE,
        start_new_session=True,
    )
    return Run(process, leads=True)


async def _start(
    example: Example, command: Sequence[str], out: Path, variables: Mapping[str, str]
) -> Process:
    words = [word.replace("{out}", str(out)) for word in command]
    env = environment({"PATH": PATH, **variables})
    # By a shell, which looks for a program where PATH says.
    return await asyncio.create_subprocess_exec(
        *("sh", "-c", 'exec "$@"', "sh", *words),
        cwd=EXAMPLES / example.folder,
        env=env,
        stdin=DEVNULL,
        stdout=PIPE,
        stderr=PIPE,
    )
