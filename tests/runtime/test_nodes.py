"""Which servers share a database now."""

import pytest

from antiphon_server.runtime.nodes import NameTaken, NodeLease
from antiphon_server.runtime.nodes.lease import KEPT_S
from tests.fakes.postgres import Postgres


async def test_who_lives_is_known(postgres: Postgres) -> None:
    """A server whose lease runs, and none that has ended or was silent for too long."""
    async with postgres.opened() as database:
        lives, ended = NodeLease(database, "a"), NodeLease(database, "b")
        silent = NodeLease(database, "c", lease_s=-1.0)
        for lease in (lives, ended, silent):
            await lease.begin()
        await ended.end()
        assert await lives.living() == {"a"}


async def test_who_was_forgotten_is_no_copy(postgres: Postgres) -> None:
    """A server that stood still for a week is told so, and to begin again."""
    async with postgres.opened() as database:
        still, other = NodeLease(database, "a", lease_s=-KEPT_S - 1.0), NodeLease(database, "b")
        await still.begin()
        await other.begin()
        with pytest.raises(NameTaken, match="stood still for more than 7 days"):
            await still.renew()
