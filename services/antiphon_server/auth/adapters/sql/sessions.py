"""Sessions in a database."""

from collections.abc import Callable, Sequence
from dataclasses import asdict, replace
from typing import Any, TypeVar

from sqlalchemy import (
    ColumnElement,
    Connection,
    Integer,
    Select,
    bindparam,
    delete,
    func,
    insert,
    or_,
    select,
    update,
)

from antiphon_server.auth.adapters.account_tables import api_keys, sessions
from antiphon_server.auth.adapters.sql.device_logins import claim
from antiphon_server.auth.adapters.sql.endings import note_endings
from antiphon_server.auth.adapters.sql.key_rows import count_working, remove_others
from antiphon_server.auth.adapters.sql.places import record_place
from antiphon_server.auth.adapters.sql.rows import live, over, page, page_parameters, select_all
from antiphon_server.auth.adapters.sql.security_events import record
from antiphon_server.auth.adapters.sql.user_rows import locked_user
from antiphon_server.auth.model import KEPT_AFTER_END, Position, Session
from antiphon_server.auth.model.openings import MOST_PLACES, Opened, Opening
from antiphon_server.auth.model.revocations import Ended
from antiphon_server.auth.model.user_changes import may_open
from antiphon_server.auth.ports.security_events import Records
from antiphon_server.runtime.access.principal import SessionId, UserId
from antiphon_server.runtime.storage.database import Database

T = TypeVar("T")

_BY_ID = select_all(sessions).where(sessions.c.session_id == bindparam("session_id"))
_LOCKED = _BY_ID.with_for_update()
_ADD = insert(sessions)
_CHANGING = [column.name for column in sessions.c if column.name != "session_id"]
_CHANGE = (
    update(sessions)
    .where(sessions.c.session_id == bindparam("which"))
    .values({name: bindparam(name) for name in _CHANGING})
)
_USE_KEY = (
    update(api_keys)
    .where(api_keys.c.key_id == bindparam("which"))
    .where(or_(api_keys.c.expire_time.is_(None), api_keys.c.expire_time > bindparam("now")))
    .values(last_use_time=bindparam("now"), last_address=bindparam("address"))
)


def _least_used(*of: ColumnElement[bool]) -> Select[Any]:
    found = (
        select(sessions.c.session_id)
        .where(live(), *of)
        .order_by(sessions.c.last_use_time.desc(), sessions.c.session_id.desc())
        .limit(bindparam("page_limit", type_=Integer))
        .offset(bindparam("kept", type_=Integer))
    )
    chosen = select_all(sessions).where(sessions.c.session_id.in_(found), live())
    return chosen.order_by(sessions.c.session_id).with_for_update()


_LEAST_USED_OF_KEY = _least_used(sessions.c.api_key_id == bindparam("key_id"))
_LEAST_USED_WITHOUT_KEY = _least_used(
    sessions.c.user_id == bindparam("user_id"), sessions.c.api_key_id.is_(None)
)
_OTHERS = (
    select_all(sessions)
    .where(sessions.c.user_id == bindparam("user_id"), live())
    .where(sessions.c.session_id != bindparam("but"))
    .order_by(sessions.c.session_id)
    .with_for_update()
)
_FORGET = delete(sessions).where(
    sessions.c.user_id == bindparam("user_id"), over(bindparam("before"))
)
_PAGE = page(sessions, "session_id").where(live())
# Whoever else ends one of these has it locked, and comes first.
_RAN_OUT = (
    select_all(sessions)
    .where(sessions.c.end_time.is_(None), sessions.c.expire_time <= bindparam("now"))
    .order_by(sessions.c.expire_time, sessions.c.session_id)
    .limit(bindparam("most", type_=Integer))
    .with_for_update(skip_locked=True)
)
_END_IN_TIME = (
    update(sessions)
    .where(sessions.c.session_id.in_(bindparam("which", expanding=True)))
    .values(end_time=sessions.c.expire_time)
)
_COUNT_LIVE = select(func.count()).where(live())
_UNANNOUNCED = (
    select_all(sessions)
    .where(sessions.c.announced.is_(False))
    .order_by(sessions.c.end_time)
    .limit(bindparam("page_limit", type_=Integer))
)
_ENDED = (
    select(sessions.c.session_id)
    .where(sessions.c.session_id.in_(bindparam("which", expanding=True)))
    .order_by(sessions.c.session_id)
    .with_for_update()
)
_MARK = (
    update(sessions)
    .where(sessions.c.session_id.in_(bindparam("which", expanding=True)))
    .values(announced=True)
)


class SqlSessions:
    """A :class:`~antiphon_server.auth.ports.SessionStore` in a database."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def add(self, opening: Opening, records: Records[Opened]) -> Opened | None:
        def work(connection: Connection) -> Opened | None:
            opened = _open(connection, opening)
            return record(connection, records, opened) if opened else None

        return await self._database.write(work)

    async def get(self, session_id: SessionId) -> Session | None:
        def work(connection: Connection) -> Session | None:
            row = connection.execute(_BY_ID, {"session_id": session_id}).one_or_none()
            return Session(*row) if row else None

        return await self._database.read(work)

    async def change(
        self,
        session_id: SessionId,
        rule: Callable[[Session], tuple[Session, T]],
        records: Records[T],
    ) -> T | None:
        def work(connection: Connection) -> T | None:
            row = connection.execute(_LOCKED, {"session_id": session_id}).one_or_none()
            if row is None:
                return None
            before = Session(*row)
            after, outcome = rule(before)
            if after != before:
                store_changes(connection, [after], newly_ended=before.end_time is None)
            return record(connection, records, outcome)

        return await self._database.write(work)

    async def list_live(
        self, user_id: UserId, now: int, after: Position | None, limit: int
    ) -> list[Session]:
        values = page_parameters(user_id, after, limit) | {"now": now}
        return await self._database.read(
            lambda connection: [Session(*row) for row in connection.execute(_PAGE, values)]
        )

    async def end_all(
        self,
        user_id: UserId,
        but: SessionId | None,
        now: int,
        records: Records[Ended],
        *,
        api_keys: bool = False,
    ) -> Ended:
        def work(connection: Connection) -> Ended:
            # What these sessions make and vouch for comes before or never.
            locked_user(connection, user_id)
            keys = remove_others(connection, user_id, but) if api_keys else ()
            ended = end_others(connection, user_id, but, now)
            left = count_working(connection, user_id, now)
            return record(connection, records, Ended(ended, keys, left))

        return await self._database.write(work)

    async def expire(self, now: int, limit: int, records: Records[list[Session]]) -> list[Session]:
        def work(connection: Connection) -> list[Session]:
            rows = connection.execute(_RAN_OUT, {"now": now, "most": limit}).all()
            if not rows:
                return []
            connection.execute(_END_IN_TIME, {"which": [row.session_id for row in rows]})
            ended = [replace(Session(*row), end_time=row.expire_time) for row in rows]
            return record(connection, records, ended)

        return await self._database.write(work)

    async def count_live(self, now: int) -> int:
        return await self._database.read(
            lambda connection: connection.execute(_COUNT_LIVE, {"now": now}).scalar_one()
        )

    async def list_unannounced(self, limit: int) -> list[Session]:
        values = {"page_limit": limit}
        return await self._database.read(
            lambda connection: [Session(*row) for row in connection.execute(_UNANNOUNCED, values)]
        )

    async def mark_announced(self, session_ids: Sequence[SessionId]) -> None:
        values = {"which": list(session_ids)}

        def work(connection: Connection) -> None:
            connection.execute(_ENDED, values)  # two at once lock them in one order
            connection.execute(_MARK, values)

        await self._database.write(work)


def end_others(
    connection: Connection, user_id: UserId, but: SessionId | None, now: int
) -> list[Session]:
    """End the user's live sessions but one."""
    values = {"user_id": user_id, "but": but or "", "now": now}
    ended = end_all(connection.execute(_OTHERS, values).all(), now)
    store_changes(connection, ended)
    return ended


def store_changes(
    connection: Connection, changed: list[Session], *, newly_ended: bool = True
) -> None:
    """Write the sessions' fields; their rows are locked by this transaction.

    Ends get their places, unless these sessions had ended before.
    """
    if changed:
        rows = [asdict(session) for session in changed]
        connection.execute(_CHANGE, [{"which": row.pop("session_id"), **row} for row in rows])
    if newly_ended:
        note_endings(connection, [one for one in changed if one.end_time is not None])


def end_all(found: Sequence[Sequence[object]], now: int) -> list[Session]:
    """The sessions of these rows, ended at ``now``."""
    return [
        replace(Session(*row), end_time=now, announced=False)  # type: ignore[arg-type]
        for row in found
    ]


def lives(connection: Connection, session_id: SessionId, now: int) -> bool:
    """Whether that is a live session, which nobody ends until this transaction does."""
    row = connection.execute(_LOCKED, {"session_id": session_id}).one_or_none()
    return row is not None and Session(*row).live(now)


def _open(connection: Connection, opening: Opening) -> Opened | None:
    session, sponsor = opening.session, opening.sponsor
    now = session.create_time
    user = locked_user(connection, session.user_id)
    if user is None or not may_open(user, opening.password_version):
        return None
    if sponsor and not lives(connection, sponsor, now):
        return None
    device_hash = opening.device_hash
    if device_hash and not claim(connection, device_hash, session.session_id, now):
        return None
    ended = _add(connection, session, opening.most)
    if ended is None:
        return None
    new = record_place(connection, opening.subject, opening.address, now, MOST_PLACES)
    return Opened(ended, new)


def _add(connection: Connection, session: Session, most: int) -> list[Session] | None:
    now = session.create_time
    if session.api_key_id is not None:
        use = {"which": session.api_key_id, "now": now, "address": session.first_address}
        used = connection.execute(_USE_KEY, use)
        if not used.rowcount:
            return None
    connection.execute(_FORGET, {"user_id": session.user_id, "before": now - KEPT_AFTER_END})
    key_id = session.api_key_id
    least_used = _LEAST_USED_WITHOUT_KEY if key_id is None else _LEAST_USED_OF_KEY
    opener = {"user_id": session.user_id} if key_id is None else {"key_id": key_id}
    limits = opener | {"now": now, "kept": most - 1, "page_limit": most}
    ended = end_all(connection.execute(least_used, limits).all(), now)
    store_changes(connection, ended)
    connection.execute(_ADD, asdict(session))
    return ended
