"""The outboxes and the answers to past requests in SQL."""

from collections.abc import Callable, Sequence
from typing import Generic

from google.protobuf.message import DecodeError
from sqlalchemy import (
    Connection,
    Integer,
    Table,
    bindparam,
    delete,
    func,
    insert,
    select,
)

from antiphon.context.v1 import conversation_pb2
from antiphon.events.v1.event_service_pb2 import AppendRequest
from antiphon_server.context.adapters.changes_codec import append_request
from antiphon_server.context.adapters.role_audit import record_request
from antiphon_server.context.adapters.sql.answers import strip_answers_of
from antiphon_server.context.adapters.tables import (
    audit_outbox,
    outbox,
    requests,
    set_aside,
)
from antiphon_server.context.model.changes import (
    Answer,
    EncodedEntry,
    OutboxEntry,
    PastRequest,
    RequestKey,
)
from antiphon_server.context.model.erasure_tasks import ErasureBegun
from antiphon_server.context.model.erasures import MessagesErased
from antiphon_server.context.model.resources import ConversationId
from antiphon_server.context.model.role_changes import RoleChange
from antiphon_server.context.ports.records import E_contra
from antiphon_server.runtime.storage.statements import Prepared, PreparedIn, PreparedInsert

_REMEMBER = PreparedInsert(requests, " ON CONFLICT DO NOTHING RETURNING request_id")
_FIND = Prepared(
    lambda: select(requests.c.digest, requests.c.kind, requests.c.answer).where(
        requests.c.actor == bindparam("actor"), requests.c.request_id == bindparam("request_id")
    )
)
_CONVERSATION = conversation_pb2.Conversation.DESCRIPTOR.name.lower()
_FORGET = delete(requests).where(requests.c.create_us < bindparam("before_us"))


class Form(Generic[E_contra]):
    """In which table entries are kept, as which bytes, and who is told of them."""

    def __init__(
        self,
        table: Table,
        encode: Callable[[E_contra], bytes],
        listener: Callable[[bytes], str],
    ) -> None:
        self.add = PreparedInsert(table)
        self.first = Prepared(
            lambda: (
                select(table.c.entry_id, table.c.body)
                .order_by(table.c.place)
                .limit(bindparam("page_limit", type_=Integer))
            )
        )
        self.remove = PreparedIn(
            lambda places: delete(table).where(
                table.c.entry_id.in_([bindparam(f"entry_id_{n}") for n in places])
            )
        )
        those = table.c.entry_id.in_(bindparam("entry_ids", expanding=True))
        self.take = delete(table).where(those).returning(table.c.entry_id, table.c.body)
        is_ours = set_aside.c.outbox == table.name
        self.aside = insert(set_aside).values(outbox=table.name)
        self.count_aside = select(func.count()).select_from(set_aside).where(is_ours)
        self.aside_after = (
            select(set_aside.c.place, set_aside.c.entry_id, set_aside.c.body)
            .where(is_ours, set_aside.c.place > bindparam("after"))
            .order_by(set_aside.c.place)
            .limit(bindparam("page_limit"))
        )
        these = set_aside.c.entry_id.in_(bindparam("entry_ids", expanding=True))
        self.forget = delete(set_aside).where(is_ours, these)
        self.encode = encode
        self.listener = listener


def _scope_of(body: bytes) -> str:
    try:
        return AppendRequest.FromString(body).scope
    except DecodeError:
        return ""  # damaged: who is to tell it says so


TO_LOG: Form[OutboxEntry] = Form(
    outbox, lambda entry: append_request(entry).SerializeToString(), _scope_of
)
TO_TRAIL: Form[RoleChange | MessagesErased | ErasureBegun] = Form(
    audit_outbox,
    lambda change: record_request(change).SerializeToString(),
    lambda _: "the trail",
)


class SqlOutbox(Generic[E_contra]):
    """See :class:`~antiphon_server.context.ports.OutboxRecords`.

    A resource's entries are in the order of their commits, because whoever writes one has
    locked the resource before.
    """

    def __init__(self, connection: Connection, form: Form[E_contra]) -> None:
        self._connection = connection
        self._form = form

    def add(self, entry: E_contra) -> None:
        values = {"entry_id": entry.entry_id, "body": self._form.encode(entry)}
        self._form.add.run(self._connection, [values])

    def first(self, limit: int) -> list[EncodedEntry]:
        rows = self._form.first.rows(self._connection, {"page_limit": limit})
        return [self._entry(entry_id, body) for entry_id, body in rows]

    def remove(self, entry_ids: Sequence[str]) -> None:
        self._form.remove.run(self._connection, [{"entry_id": it} for it in entry_ids])

    def set_aside(self, entry_id: str, why: str, now_us: int) -> None:
        """See :meth:`OutboxRecords.set_aside`; another server may have done it."""
        for row in self._connection.execute(self._form.take, {"entry_ids": [entry_id]}).all():
            values = {"entry_id": entry_id, "body": row.body, "why": why, "set_aside_us": now_us}
            self._connection.execute(self._form.aside, values)

    def count_set_aside(self) -> int:
        return self._connection.execute(self._form.count_aside).scalar_one()

    def set_aside_after(self, place: int, limit: int) -> list[tuple[int, EncodedEntry]]:
        values = {"after": place, "page_limit": limit}
        rows = self._connection.execute(self._form.aside_after, values)
        return [(it.place, self._entry(it.entry_id, it.body)) for it in rows]

    def forget(self, entry_ids: Sequence[str]) -> None:
        self._connection.execute(self._form.forget, {"entry_ids": entry_ids})

    def _entry(self, entry_id: str, body: bytes) -> EncodedEntry:
        return EncodedEntry(entry_id, self._form.listener(body), body)


class SqlRequests:
    """See :class:`~antiphon_server.context.ports.records.RequestRecords`."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def find(self, actor: str, request_id: str) -> PastRequest | None:
        values = {"actor": actor, "request_id": request_id}
        row = _FIND.row(self._connection, values)
        return PastRequest(row[0], Answer(row[1], row[2])) if row else None

    def add(self, key: RequestKey, answer: Answer, create_us: int) -> bool:
        values = {
            "actor": key.actor,
            "request_id": key.request_id,
            "digest": key.digest,
            "kind": answer.kind,
            "answer": answer.body,
            "create_us": create_us,
            "conversation_id": _told_of(answer),
        }
        return bool(_REMEMBER.returned(self._connection, [values]))

    def forget_titles(
        self, conversation_id: ConversationId, those: Callable[[str, str], bool]
    ) -> None:
        strip_answers_of(
            self._connection,
            conversation_id,
            ("title",),
            lambda said: those(said.title, said.title_author),
        )

    def forget(self, before_us: int) -> int:
        return self._connection.execute(_FORGET, {"before_us": before_us}).rowcount


def _told_of(answer: Answer) -> str:
    if answer.kind != _CONVERSATION:
        return ""
    return conversation_pb2.Conversation.FromString(answer.body).conversation_id
