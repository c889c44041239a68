"""The tables of servers; they are made only where several share a database."""

from typing import Any

from sqlalchemy import BigInteger, Column, ColumnElement, MetaData, String, Table, bindparam, exists

metadata = MetaData()

nodes = Table(
    "runtime_nodes",
    metadata,
    Column("node", String(64), primary_key=True),
    # Which of its lives it is: a process that finds another one's has lost its name.
    Column("life", String(32), nullable=False),
    # Where other servers reach it, "" while it does not listen.
    Column("address", String(255), nullable=False),
    Column("lease_until_us", BigInteger, nullable=False),
)

# What the one secret of all of them is told by: a row for the whole store.
secret_marks = Table(
    "runtime_secret_marks",
    metadata,
    Column("store", String(16), primary_key=True),
    Column("mark", String(64), nullable=False),
)


def alive(node: ColumnElement[Any]) -> ColumnElement[bool]:
    """Whether the lease of the server of that name runs at the time bound as ``alive_us``."""
    still = nodes.c.lease_until_us >= bindparam("alive_us", type_=BigInteger)
    return exists().where(nodes.c.node == node, still)
