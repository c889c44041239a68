"""The versions that are kept of a memory: no more than a bound, whatever is done with it."""

from itertools import pairwise

from sqlalchemy import Connection, bindparam, delete, select

from antiphon_server.memory.adapters.memory_rows import memory_in
from antiphon_server.memory.adapters.tables import versions
from antiphon_server.memory.remembered import MOST_VERSIONS, State

_OF_MEMORY = versions.c.memory_id == bindparam("b_id")
_ALL = select(versions.c.version, versions.c.body).where(_OF_MEMORY).order_by(versions.c.version)
_DROP = delete(versions).where(
    _OF_MEMORY, versions.c.version.in_(bindparam("b_versions", expanding=True))
)
_AT_ONCE = 1000


def drop_returns(connection: Connection, memory_id: str) -> None:
    """Drop versions beyond the bound of what has just come back, the oldest first.

    Those go alone that say that it was put away, and that it came back as what it had been.
    """
    rows = connection.execute(_ALL, {"b_id": memory_id}).all()
    most = min(len(rows) - MOST_VERSIONS, _AT_ONCE)
    gone = list[int]()
    for put_away, back in pairwise(rows):
        if len(gone) < most and memory_in(put_away.body).state is State.PRUNED:
            gone += [put_away.version, back.version]
    if gone:
        connection.execute(_DROP, {"b_id": memory_id, "b_versions": gone})
