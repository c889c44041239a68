"""Variables from a file ``.env`` in the working directory, for development."""

import os
import re
import stat
from collections.abc import Iterator, Mapping, MutableMapping
from pathlib import Path

from antiphon_server.cli.console import CommandError

FILE = ".env"
_LINE = re.compile(
    r"""(?:export\s+)?(?P<name>[A-Za-z_]\w*)=
    (?:(?P<quote>['"])(?P<quoted>.*?)(?P=quote)|(?P<bare>(?!['"\s])\S*(?:\s+(?!\#)\S+)*)|)
    (?:\s+\#.*)?""",
    re.VERBOSE | re.ASCII,
)


def take_env_file(folder: Path, environment: MutableMapping[str, str]) -> tuple[str, ...]:
    """Add what the folder's file sets and the environment does not; returns those names.

    In production there is no such file: nothing is read. Raises CommandError for one that can't be
    read, that somebody else could have written, or that has a line which sets nothing.
    """
    from antiphon_server.settings import PREFIX

    path, mode = folder / FILE, f"{PREFIX}ENV"
    if environment.get(mode) == "production" or not path.is_file():
        return ()
    found = {name: value for name, value in _read(path).items() if name not in environment}
    if found.get(mode) == "production":
        raise CommandError(
            f"{path}: it is for development; set {mode}=production in the environment, and all "
            "else, too: the file is not read then"
        )
    environment.update(found)
    return tuple(found)


def _read(path: Path) -> Mapping[str, str]:
    try:
        with path.open(encoding="utf-8-sig") as file:
            status = os.fstat(file.fileno())
            if status.st_uid != os.geteuid() or status.st_mode & (stat.S_IWGRP | stat.S_IWOTH):
                raise CommandError(
                    f"{path} could be somebody else's: make it yours and "
                    f"`chmod go-w {path}`, or move it away"
                )
            found = dict(_variables(path, file.read()))
    except (OSError, UnicodeDecodeError) as error:
        raise CommandError(f"{path} can't be read: {error}") from None
    return found


def _variables(path: Path, text: str) -> Iterator[tuple[str, str]]:
    for number, line in enumerate(text.splitlines(), 1):
        stripped = line.strip()
        if not stripped or stripped.startswith("#"):
            continue
        match = _LINE.fullmatch(stripped)
        if match is None or "\0" in stripped:
            raise CommandError(f"{path}, line {number}: write NAME=value, NAME='…' or NAME=\"…\"")
        yield match["name"], match["quoted"] or match["bare"] or ""
