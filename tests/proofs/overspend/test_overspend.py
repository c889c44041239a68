"""However many calls race for what is left of four scopes, no more is taken than there is."""

import pytest

from tests.fakes.postgres import Postgres
from tests.proofs.overspend.runs import on_postgres, on_sqlite

CALLS = 1000


@pytest.mark.proof
async def test_on_sqlite_nothing_is_overspent() -> None:
    """One server; the calls come to the edge of all scopes."""
    (verdict,) = [it async for it in on_sqlite(1, CALLS)]
    assert (verdict.overspend, verdict.reserved, verdict.wrong) == (0, 0, ())
    assert verdict.edges >= 2
    assert verdict.refused > 0


@pytest.mark.proof
async def test_on_two_servers_nothing_is_overspent(postgres: Postgres) -> None:
    """Two processes on one Postgres."""
    for verdict in [it async for it in on_postgres(postgres, 2, CALLS)]:
        assert (verdict.overspend, verdict.reserved, verdict.wrong) == (0, 0, ())
        assert verdict.edges >= 2
        assert verdict.refused > 0


@pytest.mark.proof
@pytest.mark.parametrize("ledger", ["unconditional", "reads-before"])
async def test_a_defective_ledger_is_caught(ledger: str, postgres: Postgres) -> None:
    """On SQLite and on two servers."""
    (alone,) = [it async for it in on_sqlite(1, CALLS, ledger)]
    assert alone.overspend > 0
    (shared,) = [it async for it in on_postgres(postgres, 1, CALLS, ledger)]
    assert shared.overspend > 0
