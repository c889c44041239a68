"""Which servers share a database now."""

from antiphon_server.runtime.nodes import NodeLease
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
