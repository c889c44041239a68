"""What somebody can do to a trail who has the database."""

import random
import sqlite3
from collections.abc import Callable

from antiphon_server.auth.service.hash_chain import chained

EVENTS = 40
COLUMNS = ("kind", "user_id", "actor", "create_time", "body", "previous_hash", "hash", "seal")
Harm = Callable[[sqlite3.Connection, random.Random], int | None]
"""Changes the database; returns the first event that is wrong, None if it can't be told."""


def change(connection: sqlite3.Connection, chance: random.Random) -> int:
    """Another value in any column of any event."""
    row, column = chance.randint(1, EVENTS), chance.choice(COLUMNS)
    (value,) = connection.execute(
        f"SELECT {column} FROM auth_security_events WHERE sequence = ?", (row,)
    ).fetchone()
    if isinstance(value, bytes):
        at = chance.randrange(len(value))
        value = value[:at] + bytes([value[at] ^ 1 << chance.randrange(8)]) + value[at + 1 :]
    else:
        value = f"{value}x" if isinstance(value, str) else value + 1
    connection.execute(
        f"UPDATE auth_security_events SET {column} = ? WHERE sequence = ?", (value, row)
    )
    return row


def delete(connection: sqlite3.Connection, chance: random.Random) -> int:
    """An event is gone, from anywhere but the end."""
    row = chance.randint(1, EVENTS - 1)
    connection.execute("DELETE FROM auth_security_events WHERE sequence = ?", (row,))
    return row


def delete_and_close_up(connection: sqlite3.Connection, chance: random.Random) -> int:
    """An event is gone, and those behind it are renumbered."""
    row = delete(connection, chance)
    for sequence in range(row + 1, EVENTS + 1):
        connection.execute(
            "UPDATE auth_security_events SET sequence = ? WHERE sequence = ?",
            (sequence - 1, sequence),
        )
    return row


def reorder(connection: sqlite3.Connection, chance: random.Random) -> int:
    """Two events change places."""
    one, other = sorted(chance.sample(range(1, EVENTS + 1), 2))
    for old, new in ((one, -1), (other, one), (-1, other)):
        connection.execute(
            "UPDATE auth_security_events SET sequence = ? WHERE sequence = ?", (new, old)
        )
    return one


def insert(connection: sqlite3.Connection, chance: random.Random) -> int:
    """A copy of an event stands behind the last, with a hash that fits."""
    copied = chance.randint(1, EVENTS)
    row = connection.execute(
        f"SELECT {', '.join(COLUMNS[:5])} FROM auth_security_events WHERE sequence = ?", (copied,)
    ).fetchone()
    (last,) = connection.execute(
        "SELECT hash FROM auth_security_events WHERE sequence = ?", (EVENTS,)
    ).fetchone()
    values = (EVENTS + 1, *row, last, chained(last, row[4]), chance.randbytes(32))
    marks = ", ".join("?" * len(values))
    connection.execute(
        f"INSERT INTO auth_security_events (sequence, {', '.join(COLUMNS)}) VALUES ({marks})",
        values,
    )
    return EVENTS + 1


def truncate(connection: sqlite3.Connection, chance: random.Random) -> int:
    """The newest events are gone."""
    last = chance.randint(0, EVENTS - 1)
    connection.execute("DELETE FROM auth_security_events WHERE sequence > ?", (last,))
    return last + 1


def rewrite(connection: sqlite3.Connection, chance: random.Random) -> int:
    """An event is changed and the chain computed anew to its end, as anybody can."""
    first = chance.randint(1, EVENTS)
    rows = connection.execute(
        "SELECT sequence, body, previous_hash FROM auth_security_events WHERE sequence >= ?"
        " ORDER BY sequence",
        (first,),
    ).fetchall()
    previous = rows[0][2]
    for sequence, body, _ in rows:
        if sequence == first:
            body = body.replace(b"users/boss", b"users/mary") + b"\x12\x00"
        hashed = chained(previous, body)
        connection.execute(
            "UPDATE auth_security_events SET body = ?, previous_hash = ?, hash = ?"
            " WHERE sequence = ?",
            (body, previous, hashed, sequence),
        )
        previous = hashed
    return first


HARMS: list[Harm] = [change, delete, delete_and_close_up, reorder, insert, truncate, rewrite]
