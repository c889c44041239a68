"""The outboxes and the answers to past requests in SQL."""

from collections.abc import Callable, Sequence
from typing import Generic, assert_never

from google.protobuf.message import Message as Protobuf
from sqlalchemy import Connection, Table, bindparam, delete, insert, select

from antiphon.auth.v1.audit_service_pb2 import RecordSecurityEventsRequest
from antiphon.context.v1 import conversation_pb2
from antiphon.events.v1.event_service_pb2 import AppendRequest
from antiphon_server.context import encoding
from antiphon_server.context.adapters.changes_codec import append_request, entry_of
from antiphon_server.context.adapters.role_audit import record_request, role_change_of
from antiphon_server.context.adapters.tables import audit_outbox, outbox, requests
from antiphon_server.context.model.changes import Answer, PastRequest, RequestKey
from antiphon_server.context.model.resources import Conversation, Member, Workspace
from antiphon_server.context.ports import E
from antiphon_server.runtime.storage.statements import PreparedInsert

_REMEMBER = PreparedInsert(requests, " ON CONFLICT DO NOTHING RETURNING request_id")
_FIND = select(requests.c.digest, requests.c.kind, requests.c.answer).where(
    requests.c.actor == bindparam("actor"), requests.c.request_id == bindparam("request_id")
)
_FORGET = delete(requests).where(requests.c.create_us < bindparam("before_us"))


class Form(Generic[E]):
    """In which table entries are kept, and as which bytes."""

    def __init__(
        self, table: Table, encode: Callable[[E], bytes], decode: Callable[[bytes], E]
    ) -> None:
        self.add = insert(table)
        self.first = select(table.c.body).order_by(table.c.place).limit(bindparam("page_limit"))
        those = table.c.entry_id.in_(bindparam("entry_ids", expanding=True))
        self.remove = delete(table).where(those)
        self.encode = encode
        self.decode = decode


TO_LOG = Form(
    outbox,
    lambda entry: append_request(entry).SerializeToString(),
    lambda body: entry_of(AppendRequest.FromString(body)),
)
TO_TRAIL = Form(
    audit_outbox,
    lambda change: record_request(change).SerializeToString(),
    lambda body: role_change_of(RecordSecurityEventsRequest.FromString(body)),
)


class SqlOutbox(Generic[E]):
    """See :class:`~antiphon_server.context.ports.OutboxRecords`.

    A resource's entries are in the order of their commits, because whoever writes one has
    locked the resource before.
    """

    def __init__(self, connection: Connection, form: Form[E]) -> None:
        self._connection = connection
        self._form = form

    def add(self, entry: E) -> None:
        """See :meth:`OutboxRecords.add`."""
        values = {"entry_id": entry.entry_id, "body": self._form.encode(entry)}
        self._connection.execute(self._form.add, values)

    def first(self, limit: int) -> list[E]:
        """See :meth:`OutboxRecords.first`."""
        bodies = self._connection.execute(self._form.first, {"page_limit": limit}).scalars()
        return list(map(self._form.decode, bodies))

    def remove(self, entry_ids: Sequence[str]) -> None:
        """See :meth:`OutboxRecords.remove`."""
        self._connection.execute(self._form.remove, {"entry_ids": entry_ids})


class SqlRequests:
    """See :class:`~antiphon_server.context.ports.RequestRecords`."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def find(self, actor: str, request_id: str) -> PastRequest | None:
        """See :meth:`RequestRecords.find`."""
        values = {"actor": actor, "request_id": request_id}
        row = self._connection.execute(_FIND, values).first()
        return PastRequest(row.digest, _answer_of(row.kind, row.answer)) if row else None

    def add(self, key: RequestKey, answer: Answer, create_us: int) -> bool:
        """See :meth:`RequestRecords.add`."""
        kind, encoded = _encoded(answer)
        values = {
            "actor": key.actor,
            "request_id": key.request_id,
            "digest": key.digest,
            "kind": kind,
            "answer": encoded.SerializeToString(),
            "create_us": create_us,
        }
        return bool(_REMEMBER.returned(self._connection, [values]))

    def forget(self, before_us: int) -> int:
        """See :meth:`RequestRecords.forget`."""
        return self._connection.execute(_FORGET, {"before_us": before_us}).rowcount


def _encoded(answer: Answer) -> tuple[str, Protobuf]:
    match answer:
        case Workspace():
            return "workspace", encoding.workspace(answer)
        case Conversation():
            return "conversation", encoding.conversation(answer)
        case Member():
            return "member", encoding.member(answer)
    assert_never(answer)


def _answer_of(kind: str, encoded: bytes) -> Answer:
    if kind == "workspace":
        return encoding.workspace_of(conversation_pb2.Workspace.FromString(encoded))
    if kind == "member":
        return encoding.member_of(conversation_pb2.Member.FromString(encoded))
    return encoding.conversation_of(conversation_pb2.Conversation.FromString(encoded))
