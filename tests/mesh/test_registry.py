"""Leases, limits and rates of the registry."""

import pytest

from antiphon_server.mesh.instances import Announced, Key, Load, Rates, State
from antiphon_server.mesh.model import Address
from antiphon_server.mesh.registry import LEASE_S, MOST_OF_A_SERVICE, RENEW_S, SWEEP_S, Registry
from antiphon_server.runtime.errors import DomainError, Reason


class Ticks:
    """Time that a test moves."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now

    def run(self, registry: Registry, seconds: float) -> None:
        """Let time pass, as the sweep sees it."""
        for _ in range(round(seconds / SWEEP_S)):
            self.now += SWEEP_S
            registry.expire()


@pytest.fixture
def ticks() -> Ticks:
    return Ticks()


@pytest.fixture
def registry(ticks: Ticks) -> Registry:
    found = Registry(ticks, ticks)
    found.expire()
    return found


def one(node: str = "n1", state: State = State.SERVING, load: Load | None = None) -> Announced:
    return Announced(Key("events", node), Address("127.0.0.1", 7001), state, load=load or Load())


def nodes(registry: Registry) -> list[str]:
    return [each.announced.key.node_id for each in registry.instances()]


def test_a_lease_that_is_not_renewed_ends(registry: Registry, ticks: Ticks) -> None:
    """Who renews stays, who does not is forgotten after the lease."""
    registry.register(one("n1"))
    registry.register(one("n2"))
    for _ in range(6):
        ticks.run(registry, RENEW_S)
        registry.register(one("n1"))
    assert nodes(registry) == ["n1"]
    ticks.run(registry, LEASE_S - SWEEP_S)
    assert nodes(registry) == ["n1"]
    ticks.run(registry, 2 * SWEEP_S)
    assert nodes(registry) == []


def test_what_was_stopped_forgets_nobody(registry: Registry, ticks: Ticks) -> None:
    """While this process did not run nobody could renew: that time does not count."""
    registry.register(one())
    ticks.now += 60
    registry.expire()
    assert nodes(registry) == ["n1"]
    ticks.run(registry, LEASE_S + SWEEP_S)
    assert nodes(registry) == []


def test_only_what_matters_to_others_is_a_change(registry: Registry) -> None:
    """Load is not; a state is, and so is a withdrawal."""
    registry.register(one())
    version = registry.version
    registry.register(one(load=Load(5, 1, 2)))
    assert registry.version == version
    registry.register(one(state=State.DRAINING))
    assert registry.version == version + 1
    registry.withdraw(Key("events", "n1"))
    registry.withdraw(Key("events", "n1"))
    assert registry.version == version + 2


def test_there_is_a_limit(registry: Registry) -> None:
    """Too many of a service are refused; those that are known may renew."""
    for number in range(MOST_OF_A_SERVICE):
        registry.register(one(f"n{number}"))
    with pytest.raises(DomainError) as refused:
        registry.register(one("another"))
    assert refused.value.reason is Reason.LIMIT_EXCEEDED
    registry.register(one("n7"))


def test_rates_are_of_the_last_seconds(registry: Registry, ticks: Ticks) -> None:
    """Of ten at most; a count that went back is a new start."""
    for count in range(40):
        registry.register(one(load=Load(count * 50, count * 5, 0)))
        ticks.run(registry, RENEW_S)
    rates = registry.instances()[0].rates
    assert rates.rpcs == pytest.approx(100, rel=0.1)
    assert rates.failures == pytest.approx(10, rel=0.1)
    registry.register(one(load=Load(1, 0, 0)))
    assert registry.instances()[0].rates == Rates()
