"""A few rows at a time, and only those that no other transaction holds."""

from typing import Any

from sqlalchemy import ColumnElement, Select, select, tuple_


def unheld(some: Select[*tuple[Any, ...]]) -> ColumnElement[bool]:
    """True for the rows whose keys ``some``, a query with a LIMIT, selects; nobody is waited for.

    The keys are found once, ahead of the statement: as a subquery Postgres may find them anew for
    every row, and each time there are others than those that the statement has changed already.
    """
    few = some.with_for_update(skip_locked=True).cte("few", nesting=True)
    return tuple_(*some.selected_columns).in_(select(*few.c))
