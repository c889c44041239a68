"""What users want to be known by, in a database."""

import json
from collections.abc import Callable, Collection, Sequence
from typing import Any

from sqlalchemy import Connection, Row, bindparam, delete, func, insert, select

from antiphon_server.auth.adapters.profile_tables import profiles
from antiphon_server.auth.adapters.sql.rows import select_all
from antiphon_server.auth.adapters.sql.security_events import record
from antiphon_server.auth.adapters.sql.user_rows import locked_user
from antiphon_server.auth.model.profiles import ProfileChange
from antiphon_server.auth.ports.security_events import Records
from antiphon_server.runtime.access.principal import UserId
from antiphon_server.runtime.errors import DomainError, Reason
from antiphon_server.runtime.profiles.model import Profile
from antiphon_server.runtime.storage.database import Database

MOST = 100
"""So many workspaces a user has profiles in at most."""
_THEIRS = select_all(profiles).where(profiles.c.user_id.in_(bindparam("user_ids", expanding=True)))
_ORDER = (profiles.c.user_id, profiles.c.workspace_id)
_ALL = _THEIRS.order_by(*_ORDER)
_THERE = _THEIRS.where(
    profiles.c.workspace_id.in_(bindparam("workspace_ids", expanding=True))
).order_by(*_ORDER)
_COUNT = (
    select(func.count())
    .select_from(profiles)
    .where(profiles.c.user_id == bindparam("whose"), profiles.c.workspace_id != "")
)
_DELETE_ALL = delete(profiles).where(profiles.c.user_id == bindparam("whose"))
_DELETE = _DELETE_ALL.where(profiles.c.workspace_id == bindparam("there"))
_IN = select_all(profiles).where(profiles.c.workspace_id == bindparam("there"))
_DELETE_IN = delete(profiles).where(profiles.c.workspace_id == bindparam("there"))
_ADD = insert(profiles)


class SqlProfiles:
    """A :class:`~antiphon_server.auth.ports.profiles.ProfileStore` in a database."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def of(
        self, user_ids: Collection[UserId], workspace_ids: Collection[str] | None
    ) -> Sequence[Profile]:
        return await self._database.read(
            lambda connection: _found(connection, user_ids, workspace_ids)
        )

    async def change(
        self,
        user_id: UserId,
        workspace_id: str,
        rule: Callable[[Profile], Profile],
        records: Records[ProfileChange],
    ) -> ProfileChange | None:
        def work(connection: Connection) -> ProfileChange | None:
            if locked_user(connection, user_id) is None:
                return None
            found = _found(connection, [user_id], [workspace_id])
            before = found[0] if found else Profile(user_id, workspace_id)
            change = ProfileChange(before, rule(before))
            _write(connection, change)
            return record(connection, records, change)

        return await self._database.write(work)

    async def delete_all(
        self, user_id: UserId, records: Records[Sequence[Profile]]
    ) -> Sequence[Profile] | None:
        def work(connection: Connection) -> Sequence[Profile] | None:
            if locked_user(connection, user_id) is None:
                return None
            gone = _found(connection, [user_id], None)
            connection.execute(_DELETE_ALL, {"whose": user_id})
            return record(connection, records, gone)

        return await self._database.write(work)

    async def delete_in(
        self, workspace_id: str, records: Records[Sequence[Profile]]
    ) -> Sequence[Profile]:
        def work(connection: Connection) -> Sequence[Profile]:
            at = {"there": workspace_id}
            gone = [_profile(row) for row in connection.execute(_IN, at)]
            connection.execute(_DELETE_IN, at)
            return record(connection, records, gone)

        return await self._database.write(work)


def _found(
    connection: Connection, user_ids: Collection[str], workspace_ids: Collection[str] | None
) -> Sequence[Profile]:
    values: dict[str, Any] = {"user_ids": list(user_ids)}
    if workspace_ids is None:
        return [_profile(row) for row in connection.execute(_ALL, values)]
    values["workspace_ids"] = list(workspace_ids)
    return [_profile(row) for row in connection.execute(_THERE, values)]


def _write(connection: Connection, change: ProfileChange) -> None:
    before, after = change.before, change.after
    if before == after:
        return
    place = {"whose": after.user_id, "there": after.workspace_id}
    is_new = connection.execute(_DELETE, place).rowcount == 0
    if after.says_nothing:
        return
    if is_new and after.workspace_id and connection.execute(_COUNT, place).scalar_one() >= MOST:
        raise DomainError(Reason.LIMIT_EXCEEDED, limit=f"profiles in {MOST} workspaces")
    connection.execute(_ADD, _row(after))


def _row(it: Profile) -> dict[str, object]:
    return {
        "user_id": it.user_id,
        "workspace_id": it.workspace_id,
        "locale": it.locale,
        "time_zone": it.time_zone,
        "call_name": it.call_name,
        "preferences": json.dumps(it.preferences),
        "fields": json.dumps(dict(it.fields)),
        "etag": it.etag,
        "update_time": it.update_us,
    }


def _profile(row: Row[Any]) -> Profile:
    return Profile(
        UserId(row.user_id),
        row.workspace_id,
        row.locale,
        row.time_zone,
        row.call_name,
        tuple(json.loads(row.preferences)),
        json.loads(row.fields),
        row.etag,
        row.update_time,
    )
