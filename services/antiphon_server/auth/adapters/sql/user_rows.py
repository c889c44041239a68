"""Accounts as rows."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from sqlalchemy import Connection, bindparam

from antiphon_server.auth.adapters.account_tables import users
from antiphon_server.auth.adapters.sql.rows import select_all
from antiphon_server.auth.model import User, UserKind

BY_ID = select_all(users).where(users.c.user_id == bindparam("user_id"))
_LOCKED = BY_ID.with_for_update()


def user_of(row: Sequence[Any]) -> User:
    """The account in a row of the table."""
    user = User(*row)
    return replace(user, kind=UserKind(user.kind))


def locked_user(connection: Connection, user_id: str) -> User | None:
    """The account, which nobody else changes until this transaction ends.

    Whoever locks several rows locks the user first, then keys, then sessions by their ids, then
    the counter of endings, places, and the trail at the very end. A session of a device takes
    before its keys the session that vouches for it, and the device's row: nobody who has one of
    these waits for more than the trail, unless they have the user, too.
    """
    row = connection.execute(_LOCKED, {"user_id": user_id}).one_or_none()
    return user_of(row) if row else None
