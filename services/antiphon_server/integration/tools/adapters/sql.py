"""What workspaces say of tools, in a SQL database."""

from collections.abc import Mapping

from sqlalchemy import Connection, bindparam, delete, insert, select

from antiphon.auth.v1.audit_pb2 import ToolRuleChanged
from antiphon_server.integration.tools.adapters.tables import tool_rules
from antiphon_server.integration.tools.model import Rule, ToolName
from antiphon_server.integration.trail.adapters.outbox import Author, resource_of
from antiphon_server.runtime.storage.database import Database
from antiphon_server.runtime.storage.statements import Prepared

_OF_WORKSPACE = select(tool_rules.c.tool, tool_rules.c.rule).where(
    tool_rules.c.workspace_id == bindparam("b_workspace_id")
)
_HERE = (
    tool_rules.c.workspace_id == bindparam("b_workspace_id"),
    tool_rules.c.tool == bindparam("b_tool"),
)
_ONE = Prepared(lambda: select(tool_rules.c.rule).where(*_HERE))
_LOCK = select(tool_rules.c.rule).where(*_HERE).with_for_update()
_FORGET = delete(tool_rules).where(*_HERE)
_SAY = insert(tool_rules)


class SqlRuleStore:
    """A :class:`~antiphon_server.integration.tools.ports.RuleStore` in a SQL database."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def rules(self, workspace_id: str) -> Mapping[ToolName, Rule]:
        row = {"b_workspace_id": workspace_id}
        return await self._database.read(
            lambda it: {ToolName(name): Rule(rule) for name, rule in it.execute(_OF_WORKSPACE, row)}
        )

    async def rule(self, workspace_id: str, tool: ToolName) -> Rule | None:
        at = {"b_workspace_id": workspace_id, "b_tool": tool}
        row = await self._database.read(lambda it: _ONE.row(it, at), snapshot=False)
        return None if row is None else Rule(row[0])

    async def set_rule(self, workspace_id: str, tool: ToolName, rule: Rule) -> None:
        at, by = {"b_workspace_id": workspace_id, "b_tool": tool}, Author()

        def say(connection: Connection) -> None:
            before = Rule(connection.execute(_LOCK, at).scalar() or Rule.UNSPECIFIED)
            if rule is before:
                return
            connection.execute(_FORGET, at)
            if rule is not Rule.UNSPECIFIED:
                row = {"workspace_id": workspace_id, "tool": tool, "rule": rule.value}
                connection.execute(_SAY, row)
            told = ToolRuleChanged(resource=resource_of(workspace_id), tool=tool)
            told.before, told.after = _named(before), _named(rule)
            by.note(connection, tool_rule_changed=told)

        await self._database.write(say)


def _named(rule: Rule) -> str:
    return rule.name.lower() if rule else ""
