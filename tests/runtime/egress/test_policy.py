"""What operators allow, and workspaces within that."""

import pytest

from antiphon_server.runtime.configuration import WrongSetting
from antiphon_server.runtime.errors.domain_error import DomainError
from antiphon_server.runtime.net.egress.policy import EgressPolicy
from antiphon_server.settings import Settings


def allows(policy: EgressPolicy, host: str, address: str | None = None) -> bool:
    try:
        policy.check_host(host)
        if address is not None:
            policy.check_address(host, address)
    except DomainError:
        return False
    return True


def test_hosts_and_networks_that_the_operator_allows() -> None:
    """By name, by all below a name, by network; and nothing beside."""
    policy = EgressPolicy.allowing(["Tools.lan", "*.apps.lan"], ["10.1.0.0/16"])
    assert allows(policy, "tools.lan", "192.168.1.1")
    assert allows(policy, "a.b.apps.lan", "127.0.0.1")
    assert allows(policy, "10.1.2.3")
    assert allows(policy, "any.example", "10.1.2.3")
    assert not allows(policy, "apps.lan", "127.0.0.1")
    assert not allows(policy, "eviltools.lan", "192.168.1.1")
    assert not allows(policy, "10.2.2.3")
    assert not allows(policy, "::ffff:10.1.2.3")


def test_metadata_needs_its_own_address() -> None:
    """A wide network and a name that leads there are not enough, in disguise neither."""
    wide = EgressPolicy.allowing(["tools.lan"], ["169.254.0.0/16", "::/0", "0.0.0.0/0"])
    assert not allows(wide, "169.254.169.254")
    assert not allows(wide, "tools.lan", "169.254.169.254")
    assert not allows(wide, "::ffff:169.254.169.254")
    assert not allows(wide, "64:ff9b::169.254.169.254")
    assert allows(EgressPolicy.allowing([], ["169.254.169.254/32"]), "169.254.169.254")


def test_a_tunnel_needs_both_of_its_ends() -> None:
    """A network with a translator is allowed, and not what lies behind it in private."""
    policy = EgressPolicy.allowing([], ["64:ff9b::/96"])
    assert allows(policy, "64:ff9b::8.8.8.8")
    assert not allows(policy, "64:ff9b::10.0.0.1")


def test_a_workspace_narrows() -> None:
    """Its list is within the operator's word: it allows nothing that is not allowed anyway."""
    policy = EgressPolicy.allowing(["tools.lan"], [])
    kept = policy.within(["tools.lan", "other.lan", "*.example"])
    assert allows(kept, "tools.lan", "10.0.0.1")
    assert not allows(kept, "other.lan", "10.0.0.1")
    assert allows(kept, "a.example", "8.8.8.8")
    assert not allows(kept, "b.org", "8.8.8.8")
    assert not allows(kept.within(["b.org"]), "b.org", "8.8.8.8")
    assert not allows(kept.within([]), "tools.lan")


def test_settings() -> None:
    """What the operator says is read once, and what makes no sense is named."""
    settings = Settings(egress_allow_hosts=("tools.lan",), egress_allow_networks=("10.0.0.0/8",))
    assert allows(settings.egress(), "tools.lan", "192.168.0.1")
    with pytest.raises(WrongSetting, match="egress_allow_networks"):
        Settings(egress_allow_networks=("10.0.0.1/8",)).egress()
