"""Which memories come from which messages, within a transaction.

Whoever puts something holds a row of each conversation that it comes from until the commit, and so
does whoever says that messages are erased. What is put before that is found by it; what is put
later is refused.
"""

from collections.abc import Collection
from typing import Any

from sqlalchemy import ClauseElement, Connection, bindparam, delete, select

from antiphon_server.memory.adapters.tables import erased_sources, sources
from antiphon_server.memory.model import ConversationId
from antiphon_server.memory.remembered import Memory
from antiphon_server.runtime.errors import DomainError, Reason
from antiphon_server.runtime.storage.statements import PreparedIn, PreparedInsert

_HOLD = PreparedInsert(
    erased_sources,
    " ON CONFLICT (conversation_id, message_id) DO UPDATE SET create_us = excluded.create_us",
)
_LINK = PreparedInsert(sources, " ON CONFLICT DO NOTHING")
_DROP = delete(sources).where(sources.c.memory_id == bindparam("b_id"))


def _erased_of(places: range) -> ClauseElement:
    asked: list[Any] = [bindparam(f"message_id_{n}") for n in places]
    them = erased_sources.c
    return select(them.conversation_id, them.message_id).where(them.message_id.in_(asked))


_ERASED_OF = PreparedIn(_erased_of)
_ERASED_IN = select(erased_sources.c.message_id).where(
    erased_sources.c.conversation_id == bindparam("b_where"),
    erased_sources.c.message_id.in_(bindparam("b_those", expanding=True)),
)
_AT_ONCE = 500


def hold(connection: Connection, conversation_id: str, now_us: int) -> None:
    """Hold what comes from a conversation for the rest of the transaction."""
    row = {"conversation_id": conversation_id, "message_id": "", "create_us": now_us}
    _HOLD.run(connection, [row])


WHOLE = "*"
"""Stands for all messages of a conversation, those to come, too; of a workspace for all there."""
_CLOSED = frozenset({"conversations", "workspaces"})


def close(connection: Connection, conversation_id: str, those: Collection[str], at_us: int) -> None:
    """Let nothing be put any more that comes from these messages."""
    hold(connection, conversation_id, at_us)
    rows = [
        {"conversation_id": conversation_id, "message_id": it, "create_us": at_us} for it in those
    ]
    _HOLD.run(connection, rows)


def erased_in(
    connection: Connection, conversation_id: str, those: Collection[str]
) -> Collection[str]:
    """Those messages of a conversation that are erased: all, where all of it is."""
    every, found = list(dict.fromkeys(those)), set[str]()
    for start in range(0, len(every), _AT_ONCE):
        asked = {"b_where": conversation_id, "b_those": [*every[start : start + _AT_ONCE], WHOLE]}
        found.update(connection.execute(_ERASED_IN, asked).scalars())
    return every if WHOLE in found else found


def check_scope(connection: Connection, scope: str, now_us: int) -> None:
    """Return if the scope isn't erased as a whole, and hold it: before its entities.

    Raises DomainError CONVERSATION_ERASED, WORKSPACE_ERASED.
    """
    kind, _, own = scope.partition("/")
    if kind in _CLOSED:
        hold(connection, own, now_us)
        if erased_in(connection, own, [WHOLE]):
            raise _refusal(kind, own)


def _refusal(kind: str, own: str) -> DomainError:
    if kind == "workspaces":
        return DomainError(Reason.WORKSPACE_ERASED, workspace_id=own)
    return DomainError(Reason.CONVERSATION_ERASED, conversation_id=own)


def check_sources(connection: Connection, memory: Memory) -> None:
    """Return if neither a source of the memory nor its conversation is erased, and hold them.

    Raises DomainError MEMORY_SOURCE_INVALID, CONVERSATION_ERASED, WORKSPACE_ERASED.
    """
    kind, _, own = memory.scope.partition("/")
    places = {it.conversation_id for it in memory.sources}
    places |= {ConversationId(own)} if kind in _CLOSED else set()
    if not places:
        return
    for conversation_id in sorted(places):
        hold(connection, conversation_id, memory.update_us)
    asked = [{"message_id": it} for it in {it.message_id for it in memory.sources} | {WHOLE}]
    erased = {(row[0], row[1]) for row in _ERASED_OF.rows(connection, asked)}
    if (own, WHOLE) in erased:
        raise _refusal(kind, own)
    for source in memory.sources:
        here = source.conversation_id
        if (here, source.message_id) in erased or (here, WHOLE) in erased:
            raise DomainError(
                Reason.MEMORY_SOURCE_INVALID,
                conversation_id=source.conversation_id,
                message_id=source.message_id,
                why="UNREADABLE",
            )


def link_sources(connection: Connection, memory: Memory) -> None:
    """Let the memory be found by its sources."""
    those = dict.fromkeys((it.conversation_id, it.message_id) for it in memory.sources)
    rows = [
        {"memory_id": memory.memory_id, "conversation_id": where, "message_id": message_id}
        for where, message_id in those
    ]
    _LINK.run(connection, rows)


def drop_sources(connection: Connection, memory_id: str) -> None:
    """Let it be found by them no more."""
    connection.execute(_DROP, {"b_id": memory_id})
