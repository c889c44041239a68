"""Numbers that one transaction at a time counts on."""

from functools import cache
from importlib import import_module
from typing import Any

from sqlalchemy import BigInteger, Connection, bindparam

from antiphon_server.auth.adapters.ending_tables import counters


@cache
def _count(dialect_name: str) -> Any:
    dialect = import_module(f"sqlalchemy.dialects.{dialect_name}")
    many = bindparam("many", type_=BigInteger)
    return (
        dialect.insert(counters)
        .values({"name": bindparam("which"), "value": many})
        .on_conflict_do_update(index_elements=["name"], set_={"value": counters.c.value + many})
        .returning(counters.c.value)
    )


def count_on(connection: Connection, name: str, many: int) -> int:
    """Add to a counter; whoever else does waits until this transaction is over."""
    values = {"which": name, "many": many}
    return int(connection.execute(_count(connection.dialect.name), values).scalar_one())
