"""What tools were when workspaces took them, in a SQL database."""

import json
from collections.abc import Mapping, Sequence
from functools import cache
from importlib import import_module
from typing import Any

from sqlalchemy import Connection, bindparam, select

from antiphon.auth.v1.audit_pb2 import ToolApproved
from antiphon_server.integration.tools.adapters.tables import tool_pins
from antiphon_server.integration.tools.model import Annotations, Definition, Digest, ToolName
from antiphon_server.integration.trail.adapters.outbox import Author, resource_of
from antiphon_server.runtime.storage.database import Database
from antiphon_server.runtime.storage.statements import Prepared

_OF_WORKSPACE = select(tool_pins.c.tool, tool_pins.c.sha256).where(
    tool_pins.c.workspace_id == bindparam("b_workspace_id")
)
_HERE = (
    tool_pins.c.workspace_id == bindparam("b_workspace_id"),
    tool_pins.c.tool == bindparam("b_tool"),
)
_ONE = select(tool_pins.c.definition).where(*_HERE)
_LOCK = select(tool_pins.c.sha256).where(*_HERE).with_for_update()
_DIGEST = Prepared(lambda: select(tool_pins.c.sha256).where(*_HERE))


@cache
def _pin(dialect_name: str) -> Any:
    """Insert unless there is one. Only the dialect in use is imported."""
    return _insert(dialect_name).on_conflict_do_nothing()


@cache
def _approve(dialect_name: str) -> Any:
    insert = _insert(dialect_name)
    anew = {"sha256": insert.excluded.sha256, "definition": insert.excluded.definition}
    return insert.on_conflict_do_update(index_elements=["workspace_id", "tool"], set_=anew)


def _insert(dialect_name: str) -> Any:
    return import_module(f"sqlalchemy.dialects.{dialect_name}").insert(tool_pins)


class SqlPinStore:
    """A :class:`~antiphon_server.integration.tools.ports.PinStore` in a SQL database."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def pins(self, workspace_id: str) -> Mapping[ToolName, Digest]:
        return await self._database.read(lambda it: _pins(it, workspace_id))

    async def digest(self, workspace_id: str, tool: ToolName) -> Digest | None:
        at = {"b_workspace_id": workspace_id, "b_tool": tool}
        row = await self._database.read(lambda it: _DIGEST.row(it, at), snapshot=False)
        return None if row is None else Digest(bytes(row[0]))

    async def pinned(self, workspace_id: str, tool: ToolName) -> Definition | None:
        at = {"b_workspace_id": workspace_id, "b_tool": tool}
        found = await self._database.read(lambda it: it.execute(_ONE, at).scalar_one_or_none())
        return None if found is None else _definition(json.loads(found))

    async def pin(
        self, workspace_id: str, tools: Sequence[Definition]
    ) -> Mapping[ToolName, Digest]:
        rows = [_row(workspace_id, tool) for tool in sorted(tools, key=lambda it: it.name)]

        def keep(connection: Connection) -> Mapping[ToolName, Digest]:
            connection.execute(_pin(connection.dialect.name), rows)
            return _pins(connection, workspace_id)

        return await self._database.write(keep)

    async def approve(self, workspace_id: str, tool: Definition) -> None:
        row, by = _row(workspace_id, tool), Author()
        at = {"b_workspace_id": workspace_id, "b_tool": tool.name}
        told = ToolApproved(resource=resource_of(workspace_id), tool=tool.name)
        told.definition_sha256 = tool.digest.hex()

        def keep(it: Connection) -> None:
            before = it.execute(_LOCK, at).scalar()
            if before is None or bytes(before) != tool.digest:
                it.execute(_approve(it.dialect.name), row)
                by.note(it, tool_approved=told)

        await self._database.write(keep)


def _pins(connection: Connection, workspace_id: str) -> Mapping[ToolName, Digest]:
    rows = connection.execute(_OF_WORKSPACE, {"b_workspace_id": workspace_id})
    return {ToolName(name): Digest(bytes(digest)) for name, digest in rows}


def _row(workspace_id: str, tool: Definition) -> dict[str, Any]:
    return {
        "workspace_id": workspace_id,
        "tool": tool.name,
        "sha256": tool.digest,
        "definition": tool.canonical,
    }


def _definition(told: dict[str, Any]) -> Definition:
    return Definition(**{**told, "annotations": Annotations(**told["annotations"])})
