"""Statements that the stores share. A row has the order of its dataclass's fields."""

from typing import Any

from sqlalchemy import Boolean, ColumnElement, Integer, Select, Table, and_, bindparam, or_, select

from antiphon_server.auth.adapters.account_tables import sessions
from antiphon_server.auth.model import Position

UNUSED = Position(0, "")


def select_all(table: Table) -> Select[Any]:
    """Select all columns, in the table's order."""
    return select(*table.c)


def page(table: Table, item_id: str) -> Select[Any]:
    """A page of a user's rows, the newest first; see :func:`page_parameters`."""
    created, identity = table.c.create_time, table.c[item_id]
    before = or_(
        bindparam("first_page", type_=Boolean),
        created < bindparam("after_time"),
        and_(created == bindparam("after_time"), identity < bindparam("after_id")),
    )
    return (
        select_all(table)
        .where(table.c.user_id == bindparam("user_id"), before)
        .order_by(created.desc(), identity.desc())
        .limit(bindparam("page_limit", type_=Integer))
    )


def page_parameters(user_id: str, after: Position | None, limit: int) -> dict[str, object]:
    """The parameters of :func:`page`."""
    place = after or UNUSED
    return {
        "user_id": user_id,
        "first_page": after is None,
        "after_time": place.create_time,
        "after_id": place.item_id,
        "page_limit": limit,
    }


def over(before: ColumnElement[int]) -> ColumnElement[bool]:
    """A session that ended by ``before`` and that nobody has to be told of any more.

    What ran out unseen is ended first, and recorded with that.
    """
    return and_(sessions.c.end_time <= before, sessions.c.announced)


def live() -> ColumnElement[bool]:
    """A session that is neither ended nor expired at ``:now``."""
    return and_(sessions.c.end_time.is_(None), sessions.c.expire_time > bindparam("now"))
