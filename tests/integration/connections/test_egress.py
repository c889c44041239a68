"""Where a connection may call, by whose it is and what its workspace says."""

from antiphon_server.integration.connections.adapters.egress import egress_of
from antiphon_server.integration.connections.model import Connection, Mcp
from antiphon_server.integration.tools.model import SourceName
from antiphon_server.runtime.net.egress.policy import EgressPolicy
from tests.runtime.egress.test_policy import allows

OPERATOR = EgressPolicy.allowing(["tools.lan"], [])


def connection(workspace_id: str = "", egress: tuple[str, ...] = ()) -> Connection:
    return Connection(workspace_id, SourceName("wiki"), Mcp("https://wiki.lan"), egress=egress)


def test_the_operators_own_connection_reaches_its_own_host() -> None:
    """And nothing else that is private, but for what the operator allows besides."""
    policy = egress_of(connection(), "wiki.lan", OPERATOR)
    assert allows(policy, "wiki.lan", "10.0.0.1")
    assert allows(policy, "tools.lan", "10.0.0.1")
    assert not allows(policy, "other.lan", "10.0.0.1")


def test_a_workspaces_connection_keeps_within_both() -> None:
    """Without a list it may call what the operator allows; with one, nothing beside the list."""
    free = egress_of(connection("ws_00000001"), "wiki.lan", OPERATOR)
    assert allows(free, "anybody.example", "1.1.1.1")
    assert not allows(free, "wiki.lan", "10.0.0.1")
    listed = ("*.example", "wiki.lan")
    bound = egress_of(connection("ws_00000001", listed), "wiki.lan", OPERATOR)
    assert allows(bound, "a.example", "1.1.1.1")
    assert not allows(bound, "wiki.lan", "10.0.0.1")
    assert not allows(bound, "tools.lan", "10.0.0.1")
