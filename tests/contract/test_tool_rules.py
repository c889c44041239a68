"""Every store keeps what workspaces say of tools."""

from antiphon_server.integration.ledger.adapters.tables import metadata
from antiphon_server.integration.ledger.model import Money
from antiphon_server.integration.tools.adapters.sql import SqlRuleStore
from antiphon_server.integration.tools.model import Rule, Said, ToolName
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
    assert await rules.all("ws_00000001") == {ONE: Said(Rule.NEVER), OTHER: Said(Rule.ALWAYS)}
    await rules.set_rule("ws_00000001", OTHER, Rule.UNSPECIFIED)
    assert await rules.all("ws_00000001") == {ONE: Said(Rule.NEVER)}
    assert await rules.all("ws_00000003") == {}


async def test_a_price_and_a_rule_are_said_apart(rules: RuleStore) -> None:
    """Each stays what it is when the other is said or forgotten."""
    price = Money("EUR", 5)
    await rules.set_price("ws_00000001", ONE, price)
    assert await rules.said("ws_00000001", ONE) == Said(price=price)
    await rules.set_rule("ws_00000001", ONE, Rule.ASK)
    assert await rules.said("ws_00000001", ONE) == Said(Rule.ASK, price)
    await rules.set_price("ws_00000001", ONE, None)
    assert await rules.said("ws_00000001", ONE) == Said(Rule.ASK)
    assert await rules.said("ws_00000001", OTHER) == Said()
