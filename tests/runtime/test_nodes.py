"""Which servers share a database now."""

import asyncio

import pytest

from antiphon_server.runtime.nodes import NameTaken, NodeLease
from antiphon_server.runtime.nodes.lease import KEPT_S
from antiphon_server.runtime.storage.database import Database


async def test_who_lives_is_known(database: Database) -> None:
    """A server whose lease runs, and none that has ended or was silent for too long."""
    lives, ended = NodeLease(database, "a"), NodeLease(database, "b")
    silent = NodeLease(database, "c", lease_s=-1.0)
    for lease in (lives, ended, silent):
        await lease.begin()
    await ended.end()
    assert await lives.living() == {"a"}


async def test_who_was_forgotten_is_no_copy(database: Database) -> None:
    """A server that stood still for a week is told so, and to begin again."""
    still, other = NodeLease(database, "a", lease_s=-KEPT_S - 1.0), NodeLease(database, "b")
    await still.begin()
    await other.begin()
    with pytest.raises(NameTaken, match="stood still for more than 7 days"):
        await still.renew()


async def test_a_copy_does_not_throw_out_who_lives(database: Database) -> None:
    """It is refused when the other one renews; a server that died elsewhere is waited for."""
    lives, copy = NodeLease(database, "a", 1.0), NodeLease(database, "a", 1.0)
    await lives.begin("one.example:1")
    await lives.announce("one.example:1")
    renewing = asyncio.create_task(lives.run())
    with pytest.raises(NameTaken, match="data folder is a copy"):
        await copy.begin("two.example:1")
    renewing.cancel()
    await asyncio.wait([renewing])
    await lives.renew()
    await copy.begin("two.example:1")
    assert not lives.held
    await NodeLease(database, "a", 1.0).begin("two.example:1")
