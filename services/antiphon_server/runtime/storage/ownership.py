"""Whose a file is that can't be used: what is said, and the command that mends it."""

import grp
import os
import pwd
import shlex
from collections.abc import Iterable
from pathlib import Path

_USE = os.R_OK | os.W_OK


def not_ours(path: Path) -> str:
    """Why this user can't use a file or a folder that is there; empty if it can.

    Of a file in a folder that can't be looked into, the folder is told.
    """
    found = _reached(path)
    if found is None:
        return ""
    needed = 0o700 if found.is_dir() else 0o600
    wanted = _USE | (os.X_OK if found.is_dir() else 0)
    if os.access(found, wanted, effective_ids=True):
        return ""
    status = found.stat()
    if status.st_uid != os.geteuid():
        return _of_another(found, status.st_uid)
    if status.st_mode & needed == needed:
        return ""  # so it is the disk that refuses
    return f"{found} is shut to its owner: `chmod {needed:o} {shlex.quote(str(found))}`"


def first_not_ours(paths: Iterable[Path]) -> str:
    """The same of the first of them that can't be used."""
    return next(filter(None, map(not_ours, paths)), "")


def _of_another(path: Path, owner: int) -> str:
    us = user_of(os.geteuid())
    return (
        f"{path} belongs to {user_of(owner)}, and this runs as {us}: "
        f"`chown -R {us}:{group_of(os.getegid())} {shlex.quote(str(path))}`"
    )


def user_of(number: int) -> str:
    """A user's name, or the number if it has none."""
    try:
        return pwd.getpwuid(number).pw_name
    except KeyError:
        return str(number)


def group_of(number: int) -> str:
    """A group's name, or the number if it has none."""
    try:
        return grp.getgrgid(number).gr_name
    except KeyError:
        return str(number)


def _reached(path: Path) -> Path | None:
    """The path, or that above it which keeps it from being looked at; None if it is not there."""
    try:
        path.lstat()
    except PermissionError:
        return _reached(path.parent)
    except OSError:
        return None
    return path
