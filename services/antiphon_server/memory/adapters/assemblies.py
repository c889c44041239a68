"""What turns' models were shown, in SQL: which messages, and nothing of what they say.

It is written some times a second, for all turns together: a commit for each would cost a short
turn a tenth of its time. What a server that dies has not written is not explained.
"""

import logging
from collections.abc import Sequence
from dataclasses import replace

from sqlalchemy import Connection, bindparam, select

from antiphon.memory.v1.assembly_service_pb2 import ExplainContextResponse
from antiphon_server.memory.adapters.tables import assemblies
from antiphon_server.memory.assembled import Assembly
from antiphon_server.memory.encoding.assembly import assembly_of, explained
from antiphon_server.memory.model import ConversationId
from antiphon_server.runtime.errors import DomainError
from antiphon_server.runtime.storage.database import Database
from antiphon_server.runtime.storage.forgetting import forget_in_batches
from antiphon_server.runtime.storage.statements import Prepared, PreparedInsert

MOST = 10_000
"""So many wait to be written at most; while the store can't keep up, others are not explained."""
_KEEP = PreparedInsert(
    assemblies,
    " ON CONFLICT (turn_id, conversation_id)"
    " DO UPDATE SET create_us=excluded.create_us, body=excluded.body",
)
_FIND = Prepared(
    lambda: select(assemblies.c.body).where(
        assemblies.c.turn_id == bindparam("turn_id"),
        assemblies.c.conversation_id == bindparam("conversation_id"),
    )
)
log = logging.getLogger(__name__)


class SqlAssemblies:
    """A :class:`~antiphon_server.memory.ports.Assemblies` in a SQL database."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._waiting: dict[tuple[ConversationId, str], Assembly] = {}

    def keep(self, conversation_id: ConversationId, turn_id: str, assembly: Assembly) -> None:
        if len(self._waiting) < MOST:
            items = [replace(it, text="") for it in assembly.items]
            bare = replace(assembly, items=items, texts=(), window=b"")
            self._waiting[conversation_id, turn_id] = bare

    async def find(self, conversation_id: ConversationId, turn_id: str) -> Assembly | None:
        if (waiting := self._waiting.get((conversation_id, turn_id))) is not None:
            return waiting
        values = {"turn_id": turn_id, "conversation_id": conversation_id}
        row = await self._database.read(lambda it: _FIND.row(it, values), snapshot=False)
        return assembly_of(ExplainContextResponse.FromString(row[0])) if row else None

    async def write(self) -> None:
        if not self._waiting:
            return
        waiting = dict(self._waiting)
        rows = [_row(*key, assembly) for key, assembly in waiting.items()]
        try:
            await self._database.write(lambda it: _kept(it, rows))
        except DomainError as error:
            log.warning("what %s turns were shown can't be kept now: %s", len(rows), error)
            return
        for key, written in waiting.items():
            if self._waiting.get(key) is written:
                del self._waiting[key]

    async def remove(self, conversation_id: ConversationId) -> None:
        """Drop what turns of a conversation were shown."""
        for key in [it for it in self._waiting if it[0] == conversation_id]:
            del self._waiting[key]
        theirs = assemblies.c.conversation_id == conversation_id
        await forget_in_batches(self._database, assemblies, theirs)

    async def forget(self, before_us: int) -> None:
        old = assemblies.c.create_us < before_us
        await forget_in_batches(self._database, assemblies, old)


def _kept(connection: Connection, rows: Sequence[dict[str, object]]) -> None:
    _KEEP.run(connection, rows)


def _row(conversation_id: ConversationId, turn_id: str, assembly: Assembly) -> dict[str, object]:
    return {
        "turn_id": turn_id,
        "conversation_id": conversation_id,
        "create_us": assembly.time_us,
        "body": explained(assembly).SerializeToString(),
    }
