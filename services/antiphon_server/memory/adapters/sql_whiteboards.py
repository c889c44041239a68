"""Whiteboards in a SQL database."""

from collections.abc import Collection, Sequence
from dataclasses import replace
from typing import Any

from sqlalchemy import BindParameter, Connection, and_, bindparam, delete, insert, select, update

from antiphon_server.memory.adapters import source_rows
from antiphon_server.memory.adapters.section_history import erase_history
from antiphon_server.memory.adapters.tables import (
    section_versions,
    sections,
    whiteboard_outbox,
    whiteboard_requests,
    whiteboards,
)
from antiphon_server.memory.adapters.whiteboard_events import told
from antiphon_server.memory.model import ConversationId
from antiphon_server.memory.whiteboard.model import (
    DAY_US,
    KEPT_IN_ALL,
    KEPT_VERSIONS,
    UNKEPT_US,
    Change,
    RequestKey,
    Section,
    Whiteboard,
    key_of,
)
from antiphon_server.memory.whiteboard.ports import Decide
from antiphon_server.runtime.errors import DomainError, Reason, not_found
from antiphon_server.runtime.storage.database import Database
from antiphon_server.runtime.storage.forgetting import forget_in_batches
from antiphon_server.runtime.storage.statements import Prepared, PreparedInsert
from antiphon_server.runtime.trail.relay import TrailRelay

BATCH = 100
SAYING = ("memory_sections", "memory_section_versions")
"""The tables that have something of what is erased."""

_BOARD = whiteboards.c
_WHERE: BindParameter[str] = bindparam("b_conversation")
_GET = Prepared(
    lambda: (
        select(
            _BOARD.version,
            _BOARD.kept,
            _BOARD.life_us,
            _BOARD.expire_us,
            sections.c.name,
            sections.c.text,
            sections.c.version.label("of_section"),
            sections.c.writer,
            sections.c.create_us,
            sections.c.update_us,
        )
        .select_from(
            whiteboards.outerjoin(sections, sections.c.conversation_id == _BOARD.conversation_id)
        )
        .where(_BOARD.conversation_id == _WHERE)
        .order_by(sections.c.create_us, sections.c.key)
    )
)
_HOLD = select(_BOARD.expire_us).where(_BOARD.conversation_id == _WHERE).with_for_update()
_BEGIN = PreparedInsert(whiteboards, " ON CONFLICT DO NOTHING")
_PUT = PreparedInsert(
    sections,
    " ON CONFLICT (conversation_id, key) DO UPDATE SET text = excluded.text,"
    " version = excluded.version, writer = excluded.writer, update_us = excluded.update_us",
)
_THIS = and_(
    section_versions.c.conversation_id == _WHERE, section_versions.c.key == bindparam("b_key")
)
_OLDEST_OF_SECTION = (
    select(section_versions.c.version)
    .where(_THIS)
    .order_by(section_versions.c.version.desc())
    .limit(1)
    .offset(KEPT_VERSIONS - 1)
    .scalar_subquery()
)
_PRUNE_SECTION = delete(section_versions).where(
    _THIS, section_versions.c.version < _OLDEST_OF_SECTION
)
_OLDEST_IN_ALL = (
    select(section_versions.c.version)
    .where(section_versions.c.conversation_id == _WHERE)
    .order_by(section_versions.c.version.desc())
    .limit(1)
    .offset(KEPT_IN_ALL - 1)
    .scalar_subquery()
)
_PRUNE_ALL = delete(section_versions).where(
    section_versions.c.conversation_id == _WHERE, section_versions.c.version < _OLDEST_IN_ALL
)
_REQUEST = select(whiteboard_requests).where(whiteboard_requests.c.key == bindparam("b_key"))


class _BegunElsewhere(Exception):
    """Another server has begun the whiteboard at the same moment."""


class SqlWhiteboards:
    """A :class:`~antiphon_server.memory.whiteboard.ports.WhiteboardStore`; ``log`` is told."""

    def __init__(self, database: Database, log: TrailRelay) -> None:
        self._database, self._log = database, log

    async def get(self, conversation_id: ConversationId, now_us: int) -> Whiteboard:
        return await self._database.read(
            lambda it: _standing(it, conversation_id, now_us), snapshot=False
        )

    async def change(
        self,
        conversation_id: ConversationId,
        decide: Decide,
        now_us: int,
        request: RequestKey | None = None,
        name: str = "",
    ) -> Whiteboard:
        def store(connection: Connection) -> tuple[Whiteboard, bool]:
            _hold(connection, conversation_id, now_us)
            before = _standing(connection, conversation_id, now_us)
            if request is not None and _answered(connection, request) is not None:
                return before, False
            change = decide(before)
            if change is None:
                stands = before.section(name)
                if request is not None and stands is not None:
                    _note(connection, request, conversation_id, stands, now_us)
                return before, False
            _check_erased(connection, conversation_id, change.writer)
            return _changed(connection, before, change, now_us, request), True

        try:
            after, has_changed = await self._database.write(store)
        except _BegunElsewhere:  # so it is there by now
            after, has_changed = await self._database.write(store)
        if has_changed:
            await self._log.tell()
        return after

    async def answered(self, request: RequestKey) -> Section | None:
        return await self._database.read(lambda it: _answered(it, request), snapshot=False)

    async def versions(
        self, conversation_id: ConversationId, name: str, before: int, limit: int, now_us: int
    ) -> Sequence[Section]:
        them = section_versions.c
        query = select(section_versions).where(them.conversation_id == conversation_id)
        query = query.order_by(them.version.desc()).limit(limit)
        if name:
            query = query.where(them.key == key_of(name))
        if before:
            query = query.where(them.version < before)

        def read(connection: Connection) -> Sequence[Section]:
            board = _standing(connection, conversation_id, now_us)
            rows = connection.execute(query) if board.life else ()
            return [_version_of(row, board.life) for row in rows]

        return await self._database.read(read)

    async def erase(
        self, conversation_id: ConversationId, writers: Collection[str], actor: str, now_us: int
    ) -> bool:
        def store(connection: Connection) -> bool:
            source_rows.close(connection, conversation_id, writers, now_us)
            held = connection.execute(_HOLD, {"b_conversation": conversation_id}).one_or_none()
            if held is not None and held.expire_us is not None and held.expire_us <= now_us:
                _remove(connection, [conversation_id])  # its sections are still there
            board = _standing(connection, conversation_id, now_us)
            found = erase_history(connection, board, writers)
            for section in board.sections:
                if section.version in found:
                    text = found[section.version]
                    section = replace(section, text=text, writer=actor, deleted=not text)
                    board = _changed(connection, board, Change(actor, section), now_us, None)
            return bool(found)

        if found := await self._database.write(store):
            await self._log.tell()
        return found

    async def remove(self, conversation_id: ConversationId, now_us: int) -> None:
        def work(connection: Connection) -> None:
            source_rows.close(connection, conversation_id, [source_rows.WHOLE], now_us)
            connection.execute(_HOLD, {"b_conversation": conversation_id})
            for table in (sections, section_versions, whiteboard_requests, whiteboards):
                connection.execute(delete(table).where(table.c.conversation_id == conversation_id))

        await self._database.write(work)

    async def forget(self, now_us: int) -> None:
        old = (
            select(_BOARD.conversation_id)
            .where(_BOARD.expire_us <= now_us)
            .limit(BATCH)
            .with_for_update(skip_locked=True)
        )

        def remove(connection: Connection) -> int:
            them = connection.execute(old).scalars().all()
            _remove(connection, them)
            return len(them)

        while await self._database.write(remove) == BATCH:
            pass
        is_old = whiteboard_requests.c.create_us < now_us - DAY_US
        await forget_in_batches(self._database, whiteboard_requests, is_old)


def _hold(connection: Connection, conversation_id: ConversationId, now_us: int) -> None:
    """Hold the whiteboard until the commit, also one that nobody has begun."""
    source_rows.hold(connection, conversation_id, now_us)
    connection.execute(_HOLD, {"b_conversation": conversation_id})


def _remove(connection: Connection, those: Sequence[str]) -> None:
    """Take away whiteboards that have expired, with their history."""
    for table in (sections, section_versions, whiteboards):
        connection.execute(delete(table).where(table.c.conversation_id.in_(those)))


def _check_erased(connection: Connection, conversation_id: ConversationId, writer: str) -> None:
    """Refuse what was begun before the conversation, or the turn that writes, was erased.

    Raises DomainError CONVERSATION_ERASED, NOT_FOUND.
    """
    erased = source_rows.erased_in(connection, conversation_id, [writer, source_rows.WHOLE])
    if source_rows.WHOLE in erased:
        raise DomainError(Reason.CONVERSATION_ERASED, conversation_id=conversation_id)
    if erased:
        raise not_found(writer)


def _standing(connection: Connection, conversation_id: ConversationId, now_us: int) -> Whiteboard:
    """What stands there: what has expired is nothing, also where it was not removed yet."""
    rows = _GET.rows(connection, {"b_conversation": conversation_id})
    if not rows or (rows[0][3] is not None and rows[0][3] <= now_us):
        return Whiteboard(conversation_id)
    version, is_kept, life, expire_us = rows[0][:4]
    them = [_section(row[4:], life) for row in rows if row[4] is not None]
    return Whiteboard(conversation_id, version, bool(is_kept), expire_us, life, them)


def _section(row: Sequence[Any], life: int) -> Section:
    name, text, version, writer, create_us, update_us = row
    etag = _etag(life, version)
    return Section(name, bytes(text).decode(), version, etag, writer, create_us, update_us)


def _version_of(row: Any, life: int) -> Section:
    text, etag = bytes(row.text).decode(), _etag(life, row.version)
    when = row.create_us, row.update_us
    return Section(row.name, text, row.version, etag, row.writer, *when, bool(row.deleted))


def _etag(life: int, version: int) -> str:
    return f"{life:x}.{version:x}"


def _changed(
    connection: Connection,
    before: Whiteboard,
    change: Change,
    now_us: int,
    request: RequestKey | None,
) -> Whiteboard:
    """Store a change, and that the log is to be told of it."""
    if not before.life:
        before = _begun(connection, before.conversation_id, now_us)
    version = before.version + 1
    is_kept = before.kept if change.kept is None else change.kept
    expire_us = None if is_kept else now_us + UNKEPT_US
    after = replace(before, version=version, kept=is_kept, expire_us=expire_us)
    stands = {"version": version, "kept": is_kept, "expire_us": expire_us}
    this = _BOARD.conversation_id == before.conversation_id
    connection.execute(update(whiteboards).where(this).values(stands))
    if change.section is not None:
        section = _next(change.section, after, now_us)
        _put(connection, after.conversation_id, section)
        if request is not None:
            _note(connection, request, after.conversation_id, section, now_us)
        rest = [it for it in before.sections if it.key != section.key]
        new = [] if section.deleted else [section]
        them = sorted([*rest, *new], key=lambda it: (it.create_us, it.key))
        after = replace(after, sections=them)
        change = replace(change, section=section)
    connection.execute(insert(whiteboard_outbox), told(after, change))
    return after


def _begun(connection: Connection, conversation_id: ConversationId, now_us: int) -> Whiteboard:
    """A whiteboard that has nothing yet, also of what stood there before it expired.

    Who begins it at the same moment waits for this one, and then finds it.
    """
    for table in (sections, section_versions):
        connection.execute(delete(table).where(table.c.conversation_id == conversation_id))
    whose = whiteboards.c.conversation_id == conversation_id
    connection.execute(delete(whiteboards).where(whose, _BOARD.expire_us <= now_us))
    row = {"conversation_id": conversation_id, "version": 0, "kept": False, "life_us": now_us}
    if not _BEGIN.run(connection, [{**row, "expire_us": now_us + UNKEPT_US}]):
        raise _BegunElsewhere
    return Whiteboard(conversation_id, life=now_us)


def _next(section: Section, board: Whiteboard, now_us: int) -> Section:
    etag = _etag(board.life, board.version)
    begun_us = section.create_us or now_us
    return replace(section, version=board.version, etag=etag, create_us=begun_us, update_us=now_us)


def _put(connection: Connection, conversation_id: ConversationId, it: Section) -> None:
    """The section as it is now, and in the history."""
    row = {
        "conversation_id": conversation_id,
        "key": it.key,
        "name": it.name,
        "text": it.text.encode(),
        "version": it.version,
        "writer": it.writer,
        "create_us": it.create_us,
        "update_us": it.update_us,
    }
    if it.deleted:
        this = and_(sections.c.conversation_id == conversation_id, sections.c.key == it.key)
        connection.execute(delete(sections).where(this))
    else:
        _PUT.run(connection, [row])
    connection.execute(insert(section_versions), {**row, "deleted": it.deleted})
    where = {"b_conversation": conversation_id}
    connection.execute(_PRUNE_SECTION, {**where, "b_key": it.key})
    connection.execute(_PRUNE_ALL, where)


def _note(
    connection: Connection,
    request: RequestKey,
    conversation_id: ConversationId,
    section: Section,
    now_us: int,
) -> None:
    row = {
        "key": request.key,
        "digest": request.digest,
        "conversation_id": conversation_id,
        "name": section.name,
        "version": section.version,
        "etag": section.etag,
        "create_us": now_us,
    }
    connection.execute(insert(whiteboard_requests), row)


def _answered(connection: Connection, request: RequestKey) -> Section | None:
    row = connection.execute(_REQUEST, {"b_key": request.key}).one_or_none()
    if row is None:
        return None
    if bytes(row.digest) != request.digest:
        raise DomainError(Reason.REQUEST_ID_REUSED, request_id=request.request_id)
    them = section_versions.c
    this = and_(them.conversation_id == row.conversation_id, them.version == row.version)
    found = connection.execute(select(section_versions).where(this)).one_or_none()
    if found is None:  # it is too old for the history
        return Section(row.name, "", row.version, row.etag, "", 0, 0)
    return replace(_version_of(found, 0), etag=row.etag)
