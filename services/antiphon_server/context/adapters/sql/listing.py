"""The statements that list conversations, a page at a time."""

from functools import cache
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Select,
    and_,
    bindparam,
    exists,
    false,
    or_,
    select,
    true,
    union,
)

from antiphon_server.context.adapters.sql.rows import PAGE_LIMIT, older
from antiphon_server.context.adapters.tables import conversations, members
from antiphon_server.context.model.listed import Listed, Order, Shelf
from antiphon_server.runtime.access.permissions import INHERITED

_TABLE = conversations.c
_OF_USER = and_(
    members.c.user_id == bindparam("user_id"), members.c.resource == _TABLE.conversation_id
)
_IN_WORKSPACE = _TABLE.workspace_id == bindparam("workspace_id")
MANAGED = select(members.c.resource).where(
    members.c.user_id == bindparam("user_id"),
    members.c.of_workspace == true(),
    members.c.role.in_([role.value for role in INHERITED]),
)
"""The workspaces whose conversations a user may all read."""


def listing(listed: Listed, *, titles: bool) -> Select[Any]:
    """The statement of a list: all columns, or with ``titles`` those that tell place and title."""
    by_activity = listed.order is Order.LAST_ACTIVITY
    kind = bool(listed.workspace_id), listed.reader is None
    return _statement(*kind, listed.shelf, by_activity=by_activity, titles=titles)


@cache
def _statement(
    in_one: bool, by_all: bool, shelf: Shelf, *, by_activity: bool, titles: bool
) -> Select[Any]:
    time = _TABLE.activity_us if by_activity else _TABLE.create_us
    columns = (time, _TABLE.conversation_id, _TABLE.title) if titles else tuple(_TABLE)
    if not in_one:
        found = _TABLE.conversation_id.in_(_readable(time, _on(shelf), by_activity=by_activity))
        return _latest(select(*columns).where(found), time)
    source = select(*columns).where(_IN_WORKSPACE, *_on(shelf))
    if not by_all:
        source = source.where(exists().where(_OF_USER))
    return _page(source, time)


def readable(listed: Listed) -> Select[Any]:
    """The statement of those conversations of some that are listed, on whatever shelf."""
    found = select(_TABLE.conversation_id).where(
        _TABLE.conversation_id.in_(bindparam("among", expanding=True))
    )
    by_role = exists().where(_OF_USER)
    if listed.workspace_id:
        found = found.where(_IN_WORKSPACE)
        return found if listed.reader is None else found.where(by_role)
    managed = _TABLE.workspace_id.in_(bindparam("managed", expanding=True))
    return found.where(or_(by_role, managed))


def _on(shelf: Shelf) -> tuple[ColumnElement[bool], ...]:
    if shelf is Shelf.ALL:
        return ()
    in_use = _TABLE.archive_us.is_(None)
    return (in_use if shelf is Shelf.IN_USE else ~in_use,)


def _readable(
    time: ColumnElement[int], on: tuple[ColumnElement[bool], ...], *, by_activity: bool
) -> Any:
    """Two short index scans, rather than one that meets everybody's conversations."""
    times = members.c.resource_activity_us if by_activity else members.c.resource_create_us
    by_role = (
        select(_TABLE.conversation_id)
        .join(members, _OF_USER)
        .where(members.c.of_workspace == false(), *on, older(times, members.c.resource))
        .order_by(times.desc(), members.c.resource.desc())
        .limit(PAGE_LIMIT)
        .subquery()
    )
    managed = _TABLE.workspace_id.in_(bindparam("managed", expanding=True))
    by_workspace = _page(select(_TABLE.conversation_id).where(managed, *on), time).subquery()
    return union(select(by_role), select(by_workspace)).scalar_subquery()


def _page(source: Select[Any], time: ColumnElement[int]) -> Select[Any]:
    return _latest(source.where(older(time, _TABLE.conversation_id)), time)


def _latest(source: Select[Any], time: ColumnElement[int]) -> Select[Any]:
    return source.order_by(time.desc(), _TABLE.conversation_id.desc()).limit(PAGE_LIMIT)
