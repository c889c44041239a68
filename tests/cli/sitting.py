"""Several people at terminals of 80 columns, each command a child of one prepared process.

``python -m tests.cli.sitting`` reads a sitting as JSON and writes what everybody saw. To
start Python for each command would take most of a test's time.
"""

import codecs
import contextlib
import fcntl
import io
import json
import os
import platform
import re
import select
import shlex
import signal
import struct
import sys
import termios
import threading
import time
import urllib.request
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.cli.glass import Glass

COLUMNS = 80
LONGEST_S = 300.0
WAITS = "Ctrl-C ends this."
"""What a command says last that waits for somebody else."""
_PAGE = re.compile(r"^    (http://\S+)$", re.MULTILINE)


@dataclass
class Running:
    """A command at somebody's terminal; ``replies`` are what is typed at which question."""

    pid: int
    master: int
    replies: dict[str, str]
    glass: Glass = field(default_factory=lambda: Glass(COLUMNS))
    raw: str = ""
    answered: int = 0
    code: int | None = None
    _decoder: codecs.IncrementalDecoder = field(
        default_factory=codecs.getincrementaldecoder("utf-8")
    )

    def watch(self) -> list[str]:
        """Read until it ends or waits; what was shown since the last time."""
        shown, resumed = len(self.glass.lines), bool(self.raw)
        until = time.monotonic() + LONGEST_S
        while self.code is None and (resumed or WAITS not in self.raw):
            ready, _, _ = select.select([self.master], [], [], max(0, until - time.monotonic()))
            if not ready:
                raise TimeoutError(f"it is still there:\n{self.raw}")
            self.take(_read(self.master))
        return self.glass.lines[max(0, shown - 1) :]

    def take(self, piece: bytes) -> None:
        """Show and answer what it has written; nothing says that it has ended."""
        if not piece:
            self.code = os.waitstatus_to_exitcode(os.waitpid(self.pid, 0)[1])
            os.close(self.master)
            return
        text = self._decoder.decode(piece)
        self.raw += text
        self.glass.feed(text)
        unanswered = self.raw[self.answered :]
        for question, reply in self.replies.items():
            # What is typed before the blank stands there is lost.
            if re.search(f"{question} $", unanswered):
                self.answered = len(self.raw)
                os.write(self.master, f"{reply}\n".encode())
        if page := _PAGE.search(unanswered.replace("\r", "")):
            self.answered = len(self.raw)
            threading.Thread(target=_press, args=(page[1],), daemon=True).start()


def _press(url: str) -> None:
    """Be the browser, in which somebody signs in."""
    urllib.request.urlopen(url, data=b"sub=anna", timeout=LONGEST_S).read()


def _read(master: int) -> bytes:
    try:
        return os.read(master, 65536)
    except OSError:  # the program has ended
        return b""


def begin(words: list[str], environment: dict[str, str], replies: dict[str, str]) -> Running:
    """Run ``antiphon`` at a terminal of its own."""
    master, slave = os.openpty()
    fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", 24, COLUMNS, 0, 0))
    pid = os.fork()
    if not pid:
        os.close(master)  # with the parent's the terminal is gone, and who still sits there
        _be(slave, words, environment)
    os.close(slave)
    return Running(pid, master, replies)


def _be(slave: int, words: list[str], environment: dict[str, str]) -> None:
    """The child: the command itself, as on a machine called laptop."""
    code: Any = 1
    try:
        for ignored in (signal.SIGINT, signal.SIGHUP):  # perhaps, by what runs the tests
            signal.signal(ignored, signal.SIG_DFL)
        os.login_tty(slave)
        sys.stdin, sys.stdout, sys.stderr = (
            os.fdopen(number, mode, encoding="utf-8", buffering=1, closefd=False)
            for number, mode in ((0, "r"), (1, "w"), (2, "w"))
        )
        os.environ.update(environment)
        os.chdir(environment["HOME"])
        time.tzset()
        platform.node = lambda: "laptop"
        sys.argv = ["antiphon", *words]
        from antiphon_server.cli.main import main

        main()
        code = 0
    except SystemExit as ended:
        code = ended.code or 0
    finally:
        with contextlib.suppress(OSError, ValueError):
            sys.stdout.flush()
        os._exit(code if isinstance(code, int) else 1)


def sit(
    homes: dict[str, dict[str, str]], script: list[list[str]], replies: dict[str, str]
) -> list[tuple[str, list[str]]]:
    """Run each person's command; an empty one goes on with what waits there.

    Words that the script has of an earlier output, such as an id, are those of its own run.
    Returns what was typed, and what was seen.
    """
    waiting: dict[str, Running] = {}
    told: list[tuple[str, list[str]]] = []
    known: dict[str, str] = {}
    for who, command, expected in script:
        for old, new in known.items():
            command = command.replace(old, new)
        if command:
            waiting[who] = begin(shlex.split(command)[1:], homes[who], replies)
        lines = waiting[who].watch()
        told.append((command, lines))
        known |= _twins(expected, "\n".join(lines))
    return told


ID = re.compile(r"\b(?:sess|key|user|conv|ws)_[0-9a-z]{26}\b|\bantp_\w{49}|\b[B-Z]{4}-[B-Z]{4}\b")


def _twins(expected: str, seen: str) -> dict[str, str]:
    """What is called so in the script -> what it is called now."""
    return dict(zip(ID.findall(expected), ID.findall(seen), strict=False))


def _prepare(default: str) -> None:
    """Import what commands import when they run; ``default`` is the address without ``-a``."""
    import importlib

    import antiphon_client
    import antiphon_server.cli as package

    antiphon_client.DEFAULT_ADDRESS = default  # the guide's server has a port of its own here

    folder = Path(package.__path__[0])
    for file in sorted(folder.rglob("*.py")):
        name = ".".join(file.relative_to(folder).with_suffix("").parts)
        if not name.startswith("chat"):
            importlib.import_module(f"antiphon_server.cli.{name}".removesuffix(".__init__"))
    from antiphon_server.cli.main import main

    sys.argv = ["antiphon", "whoami", "-a", "127.0.0.1:9"]  # which nobody is
    with contextlib.suppress(SystemExit), contextlib.redirect_stderr(io.StringIO()):
        main()


if __name__ == "__main__":
    asked = json.load(sys.stdin)
    _prepare(asked["default"])
    json.dump(sit(asked["homes"], asked["script"], asked["replies"]), sys.stdout)
