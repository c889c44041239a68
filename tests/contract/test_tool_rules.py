"""Every store keeps what workspaces say of tools."""

from antiphon_server.integration.ledger.adapters.tables import metadata
from antiphon_server.integration.tools.adapters.sql import SqlRuleStore
from antiphon_server.integration.tools.model import Rule, ToolName
from antiphon_server.integration.tools.ports import RuleStore
from tests.fakes.databases import on_each_kind

rules = on_each_kind(SqlRuleStore, metadata)
ONE, OTHER = ToolName("test.one"), ToolName("test.other")


async def test_what_was_said_last_holds(rules: RuleStore) -> None:
    """A workspace's rules are its own; one that is unspecified is forgotten."""
    await rules.set_rule("ws_00000001", ONE, Rule.ASK)
    await rules.set_rule("ws_00000001", ONE, Rule.NEVER)
    await rules.set_rule("ws_00000001", OTHER, Rule.ALWAYS)
    await rules.set_rule("ws_00000002", OTHER, Rule.ASK)
    assert await rules.rules("ws_00000001") == {ONE: Rule.NEVER, OTHER: Rule.ALWAYS}
    await rules.set_rule("ws_00000001", OTHER, Rule.UNSPECIFIED)
    assert await rules.rules("ws_00000001") == {ONE: Rule.NEVER}
    assert await rules.rules("ws_00000003") == {}
