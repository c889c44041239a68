"""Statements that several tables share."""

import json
from collections.abc import Sequence
from typing import Any

from sqlalchemy import (
    Boolean,
    ColumnElement,
    Integer,
    and_,
    bindparam,
    or_,
)

from antiphon_server.context.model.resources import (
    Conversation,
    Labels,
    Position,
    TurnPolicy,
    Workspace,
)

PAGE_LIMIT = bindparam("page_limit", type_=Integer)
_LATEST_US = 1 << 62
_NO_LABELS = "{}"


def older(created: ColumnElement[int], item_id: ColumnElement[str]) -> ColumnElement[bool]:
    """What comes after a page's place in a list of the latest first; an index finds it."""
    return and_(
        created <= bindparam("after_us"),
        or_(created < bindparam("after_us"), item_id < bindparam("after_id")),
    )


def in_use(archive_us: ColumnElement[int | None]) -> ColumnElement[bool]:
    """What is not archived, or everything if archived ones are asked for."""
    return or_(bindparam("show_archived", type_=Boolean), archive_us.is_(None))


def place(after: Position | None, limit: int) -> dict[str, Any]:
    """The parameters of :func:`older` and ``PAGE_LIMIT``."""
    return {
        "after_us": after.time_us if after else _LATEST_US,
        "after_id": after.item_id if after else "",
        "page_limit": limit,
    }


def workspace_of(row: Sequence[Any]) -> Workspace:
    """A row of all columns, in their order."""
    return Workspace(*row)


def conversation_of(row: Sequence[Any]) -> Conversation:
    """A row of all columns, in their order."""
    its_id, workspace_id, title, turn_policy, models, *rest, tools, labels, language, by = row
    policy, names = TurnPolicy(turn_policy), tuple(json.loads(models))
    others = (*rest, tuple(json.loads(tools)), _labels(labels), language, by)
    return Conversation(its_id, workspace_id, title, policy, names, *others)


def _labels(stored: str) -> Labels:
    return tuple(json.loads(stored).items()) if stored != _NO_LABELS else ()
