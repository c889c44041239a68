"""What turns' models were shown, in SQL: which messages, and nothing of what they say."""

from collections.abc import Sequence
from dataclasses import replace

from sqlalchemy import Connection, bindparam, select

from antiphon.memory.v1.assembly_service_pb2 import ExplainContextResponse
from antiphon_server.memory.adapters.tables import assemblies
from antiphon_server.memory.encoding import assembly_of, explained
from antiphon_server.memory.model import Assembly, ConversationId
from antiphon_server.runtime.concurrency.grouping import Grouped
from antiphon_server.runtime.storage.database import Database
from antiphon_server.runtime.storage.forgetting import forget_in_batches
from antiphon_server.runtime.storage.statements import Prepared, PreparedInsert

_KEEP = PreparedInsert(
    assemblies,
    " ON CONFLICT (turn_id) DO UPDATE SET create_us=excluded.create_us, body=excluded.body"
    " WHERE memory_assemblies.conversation_id=excluded.conversation_id",
)
_FIND = Prepared(
    lambda: select(assemblies.c.body).where(
        assemblies.c.turn_id == bindparam("turn_id"),
        assemblies.c.conversation_id == bindparam("conversation_id"),
    )
)
Row = dict[str, object]


class SqlAssemblies:
    """A :class:`~antiphon_server.memory.ports.Assemblies` in a SQL database."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._rows = Grouped[Row, None](self._write, lambda it: len(str(it["turn_id"])) + 4096)

    async def keep(self, conversation_id: ConversationId, turn_id: str, assembly: Assembly) -> None:
        shown = replace(assembly, items=[replace(it, text="") for it in assembly.items])
        await self._rows.add(
            {
                "turn_id": turn_id,
                "conversation_id": conversation_id,
                "create_us": assembly.time_us,
                "body": explained(shown).SerializeToString(),
            }
        )

    async def find(self, conversation_id: ConversationId, turn_id: str) -> Assembly | None:
        values = {"turn_id": turn_id, "conversation_id": conversation_id}
        row = await self._database.read(lambda it: _FIND.row(it, values), snapshot=False)
        return assembly_of(ExplainContextResponse.FromString(row[0])) if row else None

    async def forget(self, before_us: int) -> None:
        old = assemblies.c.create_us < before_us
        await forget_in_batches(self._database, assemblies.c.turn_id, old)

    async def close(self) -> None:
        await self._rows.close()

    async def _write(self, rows: Sequence[Row]) -> Sequence[None]:
        newest = list({str(it["turn_id"]): it for it in rows}.values())

        def write(connection: Connection) -> int:
            return _KEEP.run(connection, newest)

        await self._database.write(write, short=True)
        return [None] * len(rows)
