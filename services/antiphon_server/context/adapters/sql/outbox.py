"""The outbox and the answers to past requests in SQL."""

from collections.abc import Sequence

from sqlalchemy import Connection, bindparam, delete, insert, select

from antiphon.context.v1 import conversation_pb2
from antiphon.events.v1.event_service_pb2 import AppendRequest
from antiphon_server.context import encoding
from antiphon_server.context.adapters.changes_codec import append_request, entry_of
from antiphon_server.context.adapters.tables import outbox, requests
from antiphon_server.context.model.changes import Answer, OutboxEntry, PastRequest, RequestKey
from antiphon_server.context.model.resources import Workspace

_ADD = insert(outbox)
_FIRST = select(outbox.c.body).order_by(outbox.c.place).limit(bindparam("page_limit"))
_REMOVE = delete(outbox).where(outbox.c.entry_id.in_(bindparam("entry_ids", expanding=True)))
_REMEMBER = insert(requests)
_FIND = select(requests.c.digest, requests.c.kind, requests.c.answer).where(
    requests.c.actor == bindparam("actor"), requests.c.request_id == bindparam("request_id")
)
_FORGET = delete(requests).where(requests.c.create_us < bindparam("before_us"))


class SqlOutbox:
    """See :class:`~antiphon_server.context.ports.OutboxRecords`.

    A scope's entries are in the order of their commits, because whoever writes one has
    locked the resource before.
    """

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def add(self, entry: OutboxEntry) -> None:
        """See :meth:`OutboxRecords.add`."""
        body = append_request(entry).SerializeToString()
        self._connection.execute(_ADD, {"entry_id": entry.entry_id, "body": body})

    def first(self, limit: int) -> list[OutboxEntry]:
        """See :meth:`OutboxRecords.first`."""
        bodies = self._connection.execute(_FIRST, {"page_limit": limit}).scalars()
        return [entry_of(AppendRequest.FromString(body)) for body in bodies]

    def remove(self, entry_ids: Sequence[str]) -> None:
        """See :meth:`OutboxRecords.remove`."""
        self._connection.execute(_REMOVE, {"entry_ids": entry_ids})


class SqlRequests:
    """See :class:`~antiphon_server.context.ports.RequestRecords`."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def find(self, actor: str, request_id: str) -> PastRequest | None:
        """See :meth:`RequestRecords.find`."""
        values = {"actor": actor, "request_id": request_id}
        row = self._connection.execute(_FIND, values).first()
        return PastRequest(row.digest, _answer_of(row.kind, row.answer)) if row else None

    def add(self, key: RequestKey, answer: Answer, create_us: int) -> None:
        """See :meth:`RequestRecords.add`."""
        is_workspace = isinstance(answer, Workspace)
        encoded = (
            encoding.workspace(answer)
            if isinstance(answer, Workspace)
            else encoding.conversation(answer)
        )
        values = {
            "actor": key.actor,
            "request_id": key.request_id,
            "digest": key.digest,
            "kind": "workspace" if is_workspace else "conversation",
            "answer": encoded.SerializeToString(),
            "create_us": create_us,
        }
        self._connection.execute(_REMEMBER, values)

    def forget(self, before_us: int) -> int:
        """See :meth:`RequestRecords.forget`."""
        return self._connection.execute(_FORGET, {"before_us": before_us}).rowcount


def _answer_of(kind: str, encoded: bytes) -> Answer:
    if kind == "workspace":
        return encoding.workspace_of(conversation_pb2.Workspace.FromString(encoded))
    return encoding.conversation_of(conversation_pb2.Conversation.FromString(encoded))
