"""What workspaces say of tools, in a SQL database."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from sqlalchemy import Connection, bindparam, delete, insert, select

from antiphon.auth.v1.audit_pb2 import ToolPriceChanged, ToolRuleChanged
from antiphon_server.integration.ledger.model import Money
from antiphon_server.integration.tools.adapters.tables import tool_rules
from antiphon_server.integration.tools.model import NOTHING_SAID, Rule, Said, ToolName
from antiphon_server.integration.trail.adapters.outbox import Author, resource_of
from antiphon_server.runtime.storage.database import Database
from antiphon_server.runtime.storage.statements import Prepared

_SAID = (tool_rules.c.rule, tool_rules.c.price_currency, tool_rules.c.price_micros)
_OF_WORKSPACE = select(tool_rules.c.tool, *_SAID).where(
    tool_rules.c.workspace_id == bindparam("b_workspace_id")
)
_HERE = (
    tool_rules.c.workspace_id == bindparam("b_workspace_id"),
    tool_rules.c.tool == bindparam("b_tool"),
)
_ONE = Prepared(lambda: select(*_SAID).where(*_HERE))
_LOCK = select(*_SAID).where(*_HERE).with_for_update()
_FORGET = delete(tool_rules).where(*_HERE)
_SAY = insert(tool_rules)


class SqlRuleStore:
    """A :class:`~antiphon_server.integration.tools.ports.RuleStore` in a SQL database."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def all(self, workspace_id: str) -> Mapping[ToolName, Said]:
        row = {"b_workspace_id": workspace_id}
        return await self._database.read(
            lambda it: {
                ToolName(name): _said(*said) for name, *said in it.execute(_OF_WORKSPACE, row)
            }
        )

    async def said(self, workspace_id: str, tool: ToolName) -> Said:
        at = {"b_workspace_id": workspace_id, "b_tool": tool}
        row = await self._database.read(lambda it: _ONE.row(it, at), snapshot=False)
        return NOTHING_SAID if row is None else _said(*row)

    async def set_rule(self, workspace_id: str, tool: ToolName, rule: Rule) -> None:
        told = ToolRuleChanged(resource=resource_of(workspace_id), tool=tool, after=_named(rule))

        def say(before: Said) -> tuple[Said, dict[str, Any]]:
            told.before = _named(before.rule)
            return replace(before, rule=rule), {"tool_rule_changed": told}

        await self._say(workspace_id, tool, say)

    async def set_price(self, workspace_id: str, tool: ToolName, price: Money | None) -> None:
        told = ToolPriceChanged(resource=resource_of(workspace_id), tool=tool)
        if price is not None:
            told.currency, told.micros = price.currency, price.micros

        def say(before: Said) -> tuple[Said, dict[str, Any]]:
            return replace(before, price=price), {"tool_price_changed": told}

        await self._say(workspace_id, tool, say)

    async def _say(
        self, workspace_id: str, tool: ToolName, say: Callable[[Said], tuple[Said, dict[str, Any]]]
    ) -> None:
        """Put what is said in the place of what was, and note it if it is something else."""
        at, by = {"b_workspace_id": workspace_id, "b_tool": tool}, Author()

        def change(connection: Connection) -> None:
            row = connection.execute(_LOCK, at).one_or_none()
            before = NOTHING_SAID if row is None else _said(*row)
            said, event = say(before)
            if said == before:
                return
            connection.execute(_FORGET, at)
            if said != NOTHING_SAID:
                connection.execute(_SAY, _row(workspace_id, tool, said))
            by.note(connection, **event)

        await self._database.write(change)


def _said(rule: int, currency: str | None, micros: int | None) -> Said:
    if currency is None or micros is None:
        return Said(Rule(rule))
    return Said(Rule(rule), Money(currency, micros))


def _row(workspace_id: str, tool: ToolName, said: Said) -> dict[str, Any]:
    price = said.price
    return {
        "workspace_id": workspace_id,
        "tool": tool,
        "rule": said.rule.value,
        "price_currency": price.currency if price else None,
        "price_micros": price.micros if price else None,
    }


def _named(rule: Rule) -> str:
    return rule.name.lower() if rule else ""
