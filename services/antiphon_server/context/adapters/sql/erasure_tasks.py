"""Erasures that take a while, in SQL."""

from collections.abc import Sequence

import msgspec
from sqlalchemy import Connection, bindparam, delete, or_, select, update

from antiphon_server.context.adapters.sql.answers import strip_answers_of, strip_names_of
from antiphon_server.context.adapters.tables import conversations, messages
from antiphon_server.context.adapters.tables import erasure_tasks as table
from antiphon_server.context.model.erasure_tasks import CONVERSATION, ErasureTask, Unerased
from antiphon_server.context.model.messages import MessageId, Offset
from antiphon_server.context.model.resources import ConversationId, WorkspaceId
from antiphon_server.runtime.storage.statements import PreparedInsert

_THIS = table.c.resource == bindparam("b_resource")
_GET = select(table.c.body).where(_THIS)
_REMOVE = delete(table).where(_THIS, table.c.done_us != 0)
_ADD = PreparedInsert(table, " ON CONFLICT DO NOTHING")
_PUT = (
    update(table)
    .where(_THIS)
    .values(
        done_us=bindparam("b_done"), claimed_until_us=bindparam("b_until"), body=bindparam("b_body")
    )
)
_WAITING = (
    select(table.c.resource, table.c.body)
    .where(table.c.done_us == 0, table.c.claimed_until_us <= bindparam("b_now"))
    .order_by(table.c.claimed_until_us, table.c.create_us)
    .limit(1)
    .with_for_update(skip_locked=True)
)
_CLAIM = update(table).where(_THIS).values(claimed_until_us=bindparam("b_until"))
_RELEASE = update(table).where(table.c.done_us == 0).values(claimed_until_us=0)
_LEFT = messages.c.erased.is_(False)
_FOUND = (
    messages.c.conversation_id,
    messages.c.log_offset,
    messages.c.message_id,
    messages.c.turn_id,
)
_UNERASED = (
    select(*_FOUND)
    .where(
        messages.c.conversation_id == bindparam("b_conversation"),
        messages.c.log_offset > bindparam("b_after"),
        _LEFT,
    )
    .order_by(messages.c.log_offset)
    .limit(bindparam("b_limit"))
)
_SAID_BY = (
    select(*_FOUND)
    .where(
        messages.c.author == bindparam("b_author"),
        or_(
            messages.c.conversation_id > bindparam("b_conversation"),
            (messages.c.conversation_id == bindparam("b_conversation"))
            & (messages.c.log_offset > bindparam("b_after")),
        ),
        _LEFT,
    )
    .order_by(messages.c.conversation_id, messages.c.log_offset)
    .limit(bindparam("b_limit"))
)
_IN_WORKSPACE = (
    select(conversations.c.conversation_id, table.c.body)
    .select_from(
        conversations.outerjoin(
            table, table.c.resource == CONVERSATION + conversations.c.conversation_id
        )
    )
    .where(
        conversations.c.workspace_id == bindparam("b_workspace"),
        conversations.c.conversation_id > bindparam("b_after"),
    )
    .order_by(conversations.c.conversation_id)
    .limit(bindparam("b_limit"))
)
_WORDS = ("title", "instructions", "labels")
_decode = msgspec.json.Decoder(ErasureTask).decode
_encode = msgspec.json.Encoder().encode


class SqlErasureTasks:
    """See :class:`~antiphon_server.context.ports.erasures.ErasureTaskRecords`."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def get(self, resource: str) -> ErasureTask | None:
        body = self._connection.execute(_GET, {"b_resource": resource}).scalar()
        return _decode(bytes(body)) if body is not None else None

    def add(self, task: ErasureTask) -> bool:
        self._connection.execute(_REMOVE, {"b_resource": task.resource})
        row = {
            "resource": task.resource,
            "create_us": task.create_us,
            "done_us": task.done_us,
            "claimed_until_us": 0,
            "body": _encode(task),
        }
        return bool(_ADD.run(self._connection, [row]))

    def put(self, task: ErasureTask, until_us: int) -> None:
        at = {"b_resource": task.resource, "b_done": task.done_us, "b_until": until_us}
        self._connection.execute(_PUT, {**at, "b_body": _encode(task)})

    def claim(self, now_us: int, until_us: int) -> ErasureTask | None:
        row = self._connection.execute(_WAITING, {"b_now": now_us}).one_or_none()
        if row is None:
            return None
        self._connection.execute(_CLAIM, {"b_resource": row.resource, "b_until": until_us})
        return _decode(bytes(row.body))

    def release(self) -> None:
        self._connection.execute(_RELEASE)

    def renew(self, resource: str, until_us: int) -> None:
        self._connection.execute(_CLAIM, {"b_resource": resource, "b_until": until_us})

    def unerased(
        self, conversation_id: ConversationId, after: Offset, limit: int
    ) -> Sequence[Unerased]:
        at = {"b_conversation": conversation_id, "b_after": after, "b_limit": limit}
        return [_found(*row) for row in self._connection.execute(_UNERASED, at)]

    def said_by(self, author: str, after: Unerased | None, limit: int) -> Sequence[Unerased]:
        where, place = (after.conversation_id, after.offset) if after is not None else ("", 0)
        at = {"b_author": author, "b_conversation": where, "b_after": place, "b_limit": limit}
        return [_found(*row) for row in self._connection.execute(_SAID_BY, at)]

    def in_workspace(
        self, workspace_id: WorkspaceId, after: ConversationId, limit: int
    ) -> Sequence[tuple[ConversationId, ErasureTask | None]]:
        at = {"b_workspace": workspace_id, "b_after": after, "b_limit": limit}
        return [
            (ConversationId(it), _decode(bytes(body)) if body is not None else None)
            for it, body in self._connection.execute(_IN_WORKSPACE, at)
        ]

    def strip_names(self, workspace_id: WorkspaceId) -> None:
        strip_names_of(self._connection, workspace_id)

    def strip_answers(self, conversation_id: ConversationId) -> None:
        strip_answers_of(self._connection, conversation_id, _WORDS)


def _found(where: str, offset: int, message_id: str, turn_id: str) -> Unerased:
    return Unerased(ConversationId(where), Offset(offset), MessageId(message_id), turn_id)
