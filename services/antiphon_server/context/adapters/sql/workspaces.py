"""Workspaces in SQL."""

from sqlalchemy import Connection, bindparam, select, true, update

from antiphon_server.context.adapters.sql.rows import (
    PAGE_LIMIT,
    in_use,
    older,
    place,
    workspace_of,
)
from antiphon_server.context.adapters.tables import members, workspaces
from antiphon_server.context.model.resources import Position, Workspace, WorkspaceId
from antiphon_server.runtime.access.principal import UserId
from antiphon_server.runtime.storage.statements import Prepared, PreparedInsert

_COLUMNS = tuple(workspaces.c)
_GET = Prepared(
    lambda: select(*_COLUMNS).where(workspaces.c.workspace_id == bindparam("workspace_id"))
)
_HOLD = Prepared(
    lambda: (
        select(*_COLUMNS)
        .where(workspaces.c.workspace_id == bindparam("workspace_id"))
        .with_for_update(read=True)
    )
)
# A key may be taken by a writer that was not seen yet.
_ADD = PreparedInsert(workspaces, " ON CONFLICT DO NOTHING RETURNING workspace_id")
_PUT = (
    update(workspaces)
    .where(workspaces.c.workspace_id == bindparam("key"))
    .values(
        display_name=bindparam("display_name"),
        archive_us=bindparam("archive_us"),
        version=bindparam("version"),
    )
)
_LIST = (
    select(*_COLUMNS)
    .join(members, members.c.resource == workspaces.c.workspace_id)
    .where(
        members.c.user_id == bindparam("user_id"),
        members.c.of_workspace == true(),
        in_use(workspaces.c.archive_us),
        older(members.c.resource_create_us, members.c.resource),
    )
    .order_by(members.c.resource_create_us.desc(), members.c.resource.desc())
    .limit(PAGE_LIMIT)
)


class SqlWorkspaces:
    """See :class:`~antiphon_server.context.ports.records.WorkspaceRecords`."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def get(self, workspace_id: WorkspaceId) -> Workspace | None:
        row = _GET.row(self._connection, {"workspace_id": workspace_id})
        return workspace_of(row) if row else None

    def hold(self, workspace_id: WorkspaceId) -> Workspace | None:
        row = _HOLD.row(self._connection, {"workspace_id": workspace_id})
        return workspace_of(row) if row else None

    def add(self, workspace: Workspace) -> bool:
        values = {
            "workspace_id": workspace.workspace_id,
            "display_name": workspace.display_name,
            "create_us": workspace.create_us,
            "archive_us": workspace.archive_us,
            "version": workspace.version,
        }
        return bool(_ADD.returned(self._connection, [values]))

    def put(self, workspace: Workspace) -> None:
        values = {
            "key": workspace.workspace_id,
            "display_name": workspace.display_name,
            "archive_us": workspace.archive_us,
            "version": workspace.version,
        }
        self._connection.execute(_PUT, values)

    def list_of(
        self, user_id: UserId, after: Position | None, limit: int, *, archived: bool
    ) -> list[Workspace]:
        values = {"user_id": user_id, "show_archived": archived, **place(after, limit)}
        return [workspace_of(row) for row in self._connection.execute(_LIST, values)]
