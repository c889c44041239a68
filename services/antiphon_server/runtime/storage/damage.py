"""Telling a damaged database from a disk that refuses."""

import sqlite3

_DAMAGED = (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB)
_PRIMARY = 0xFF  # the rest of a result code says more of the same


class Damaged(Exception):
    """The data can't be what this program wrote; the message says how."""


def is_damage(error: BaseException | None) -> bool:
    """Whether SQLite, or SQLAlchemy for it, says that the file is damaged."""
    return _code(error) in _DAMAGED


def is_locked(error: BaseException) -> bool:
    """Whether another process holds the file's lock for longer than one waits for it."""
    return _code(error) == sqlite3.SQLITE_BUSY


def is_expected(error: BaseException) -> bool:
    """Whether SQLite's own words say it all: the statement has no part in it."""
    return _code(error) not in (None, sqlite3.SQLITE_ERROR)


def _code(error: BaseException | None) -> int | None:
    code = getattr(getattr(error, "orig", None) or error, "sqlite_errorcode", None)
    return None if code is None else code & _PRIMARY
