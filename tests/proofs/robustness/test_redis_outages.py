"""Two servers on one Postgres: Redis may go and come back as it likes."""

from pathlib import Path

import pytest

from tests.fakes.postgres import Postgres
from tests.fakes.valkey import Valkey
from tests.proofs.robustness.redis_outages import WAYS, frozen, killed, outage, two_servers

SHORT_S = 0.8


@pytest.mark.proof
async def test_redis_is_missed_by_nobody(tmp_path: Path, postgres: Postgres) -> None:
    """No call fails, no event is missing or doubled, and what is back is used within 2 s.

    Health tells of the outage, and that the servers serve.
    """
    async with Valkey() as valkey, two_servers(tmp_path, postgres, valkey) as servers:
        for way in WAYS:
            found = await outage(servers, valkey, way, SHORT_S)
            print(f"{way.__name__}: {found}")
            assert found.wrong == []
            assert found.lags
            assert found.parts_away == {"redis", "bus"} or way not in (killed, frozen)
        assert [defect for server in servers for defect in server.defects] == []
