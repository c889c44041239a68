"""What is to be erased, in SQL."""

from collections.abc import Sequence

import msgspec
from sqlalchemy import Connection, bindparam, delete, insert, select, update

from antiphon_server.context.adapters.tables import erasures as table
from antiphon_server.context.model.erasures import Erasure
from antiphon_server.context.model.resources import ConversationId

_ADD = insert(table)
_ORDER = (table.c.create_us, table.c.erasure_id)
_WAITING = select(table.c.body).order_by(*_ORDER).limit(bindparam("b_limit"))
_WAITING_IN = (
    select(table.c.body)
    .where(table.c.conversation_id == bindparam("b_conversation"))
    .order_by(*_ORDER)
)
_PUT = (
    update(table)
    .where(table.c.erasure_id == bindparam("b_erasure"))
    .values(body=bindparam("b_body"))
)
_REMOVE = delete(table).where(table.c.erasure_id == bindparam("b_erasure"))
_decode = msgspec.json.Decoder(Erasure).decode
_encode = msgspec.json.Encoder().encode


class SqlErasures:
    """See :class:`~antiphon_server.context.ports.records.ErasureRecords`."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def add(self, erasure: Erasure) -> None:
        row = {
            "erasure_id": erasure.erasure_id,
            "conversation_id": erasure.conversation_id,
            "create_us": erasure.create_us,
            "body": _encode(erasure),
        }
        self._connection.execute(_ADD, row)

    def waiting(self, limit: int) -> Sequence[Erasure]:
        rows = self._connection.execute(_WAITING, {"b_limit": limit})
        return [_decode(bytes(row.body)) for row in rows]

    def waiting_in(self, conversation_id: ConversationId) -> Sequence[Erasure]:
        rows = self._connection.execute(_WAITING_IN, {"b_conversation": conversation_id})
        return [_decode(bytes(row.body)) for row in rows]

    def put(self, erasure: Erasure) -> None:
        values = {"b_erasure": erasure.erasure_id, "b_body": _encode(erasure)}
        self._connection.execute(_PUT, values)

    def remove(self, erasure_id: str) -> None:
        self._connection.execute(_REMOVE, {"b_erasure": erasure_id})
