"""Copies of a checkout, before and after a diff, in which tools may look around."""

import os
import shutil
import stat
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from experts.reviewer.applying import Applied, applied
from experts.reviewer.diff import Change
from experts.reviewer.paths import is_python
from experts.reviewer.refusals import Refused

MAX_FILES = 20_000
MAX_BYTES = 200_000_000
# What tells tools how to work; of the operator's checkout, never of a diff.
_SETTINGS = {"pyproject.toml", "ruff.toml", ".ruff.toml", "py.typed"}
_SKIPPED = {"__pycache__", "node_modules"}


@dataclass(frozen=True, slots=True)
class Copies:
    """Two folders; ``files`` are those that the diff changes, by their names in ``after``."""

    before: Path
    after: Path
    files: dict[str, Applied]
    old_names: dict[str, str]
    """What files of ``before`` are called in ``after``."""


def copies(checkout: Path, changes: Sequence[Change], where: Path) -> Copies:
    """Copy the checkout to two folders in ``where``; apply the diff in one. Raises Refused."""
    before, after = where / "before", where / "after"
    _copy(checkout, before)
    shutil.copytree(before, after)
    files, old_names = {}, {}
    for change in changes:
        if not is_python(change.new or change.old):
            continue
        result = _apply(change, after)
        if change.new:
            files[change.new] = result
        if change.old and change.new:
            old_names[change.old] = change.new
    return Copies(before, after, files, old_names)


def _copy(checkout: Path, to: Path) -> None:
    """Python and what tools are set up by: regular files alone, so that no link is in it."""
    size = 0
    to.mkdir()
    for count, file in enumerate(_files(checkout)):
        size += file.stat().st_size
        if count >= MAX_FILES or size > MAX_BYTES:
            raise Refused("The checkout is too large to be copied for a review.")
        target = to / file.relative_to(checkout)
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(file, target, follow_symlinks=False)
    if not any((to / name).exists() for name in ("ruff.toml", ".ruff.toml")):
        _settle(to)


def _settle(to: Path) -> None:
    """Ruff looks for its settings in the folders above, too, unless it finds some."""
    settings = to / "pyproject.toml"
    if not settings.exists() or "[tool.ruff" not in settings.read_text(errors="replace"):
        (to / "ruff.toml").touch()


def _files(checkout: Path) -> Iterator[Path]:
    for where, folders, names in os.walk(checkout):
        here = Path(where)
        folders[:] = [
            it
            for it in folders
            if it[0] != "." and it not in _SKIPPED and not (here / it / "pyvenv.cfg").exists()
        ]
        for name in names:
            file = here / name
            if (is_python(name) or name in _SETTINGS) and stat.S_ISREG(file.lstat().st_mode):
                yield file


def _apply(change: Change, folder: Path) -> Applied:
    """Of paths that were looked at, in a folder without links: nothing outside is touched."""
    old = _lines(change.old, folder) if change.old else []
    result = applied(change.old or change.new, old, change.hunks)
    if change.old:
        (folder / change.old).unlink()
    if change.new:
        _write(change.new, result.lines, folder)
    return result


def _lines(path: str, folder: Path) -> list[str]:
    try:
        text = (folder / path).read_text(encoding="utf-8")  # and \n for \r\n
    except (OSError, UnicodeDecodeError):
        raise Refused(f"The checkout has no {path} that the diff fits to.") from None
    return text.removesuffix("\n").split("\n") if text else []


def _write(path: str, lines: Sequence[str], folder: Path) -> None:
    target = folder / path
    if target.exists():
        raise Refused(f"The diff makes {path}, which is there already.")
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8", newline="")
    except (OSError, UnicodeEncodeError):
        raise Refused(f"{path} can't be written.") from None
