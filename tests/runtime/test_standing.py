"""Whoever has stood still finds out before it does what can't be undone."""

import pytest

from antiphon_server.runtime.errors import DomainError, Reason
from antiphon_server.runtime.nodes.standing import standing


class Held:
    """A lease."""

    held, term = True, 3


@pytest.mark.parametrize("change", [("held", False), ("term", 4)])
def test_a_lease_that_ran_out_is_noticed(change: tuple[str, object]) -> None:
    """Also when it has been renewed since; and who begins after that goes on."""
    lease = Held()
    before = standing(lease)
    before()
    setattr(lease, *change)
    with pytest.raises(DomainError) as lost:
        before()
    assert lost.value.reason is Reason.DRAINING
    if lease.held:
        standing(lease)()


def test_who_is_alone_has_lost_nothing() -> None:
    """Nobody takes over."""
    standing(None)()
