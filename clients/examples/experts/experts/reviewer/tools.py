"""ruff and mypy, told to look at files and to load nothing from where these are."""

import json
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from experts.reviewer.running import DidNotEnd, run

SECONDS = 120.0
# By -I Python looks for modules neither in the folder where it is started, nor where variables say:
# a diff may bring a mypy.py.
_PYTHON = (sys.executable, "-I", "-m")
_SHOWN = 2_000


@dataclass(frozen=True, slots=True)
class Finding:
    """What a tool says of a line."""

    tool: str
    path: str
    line: int
    code: str
    message: str


class ToolFailed(Exception):
    """A tool could not do its work; what it said is for people."""


async def ruff(folder: Path, files: Sequence[str], home: Path) -> list[Finding]:
    """By the settings of the folder. Raises ToolFailed."""
    options = ("--no-fix", "--no-cache", "--force-exclude", "--exit-zero")
    command = (*_PYTHON, "ruff", "check", *options, "--output-format", "json-lines", "--", *files)
    found = []
    for told in await _told(command, folder, home):
        path = Path(told["filename"]).relative_to(folder).as_posix()
        code, line = told["code"] or "", told["location"]["row"]
        found.append(Finding("ruff", path, line, code, told["message"]))
    return found


async def mypy(folder: Path, files: Sequence[str], home: Path) -> list[Finding]:
    """By the settings in ``home``, see :mod:`experts.reviewer.mypy_settings`. Raises ToolFailed."""
    options = ("--config-file", str(home / "mypy.toml"), "--cache-dir", str(home / "cache"))
    more = ("--follow-imports", "silent", "--explicit-package-bases", "--namespace-packages")
    command = (*_PYTHON, "mypy", *options, *more, "--output", "json", "--", *files)
    return [
        Finding("mypy", told["file"], told["line"], told["code"] or "", told["message"])
        for told in await _told(command, folder, home)
        if told["severity"] == "error"
    ]


async def _told(command: Sequence[str], folder: Path, home: Path) -> list[dict[str, Any]]:
    try:
        ran = await run(command, folder, home, SECONDS)
    except DidNotEnd as why:
        raise ToolFailed(str(why)) from None
    told = list(_objects(ran.output))
    if not told and ran.code:
        raise ToolFailed(ran.output.strip()[-_SHOWN:] or f"ended with {ran.code}")
    return told


def _objects(output: str) -> Iterator[dict[str, Any]]:
    """Each line that is one; warnings between them are none."""
    for line in output.splitlines():
        try:
            told = json.loads(line)
        except ValueError:
            continue
        if isinstance(told, dict):
            yield told
