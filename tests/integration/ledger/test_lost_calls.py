"""What a server that is gone has left open is settled by the others."""

from antiphon_server.integration.ledger.adapters.lost_calls import LostCalls
from antiphon_server.integration.ledger.adapters.sql import SqlLedger
from antiphon_server.integration.ledger.model import Outcome
from antiphon_server.runtime.nodes import NodeLease
from tests.contract.test_ledger import ALL, call
from tests.fakes.postgres import Postgres


async def test_calls_of_a_lost_server_have_no_known_end(postgres: Postgres) -> None:
    """Those of servers that live are left alone."""
    async with postgres.opened() as database:
        ledger, lost = SqlLedger(database), LostCalls(database)
        leases = [NodeLease(database, name) for name in ("a", "b")]
        for number, lease in enumerate(leases, 1):
            await lease.begin()
            await ledger.open(call(number), lease.node)
        assert await lost.abandon() == 0
        await leases[0].end()
        assert await lost.abandon() == 1
        (settled,) = await ledger.calls(ALL, None, 9)
        assert (settled.call_id, settled.settlement.outcome) == ("call_001", Outcome.UNKNOWN)
        await ledger.close()
