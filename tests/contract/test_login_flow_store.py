"""Every store of begun logins keeps the same promises."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from antiphon_server.auth.adapters.memory import memory_stores
from antiphon_server.auth.adapters.sql import sql_stores
from antiphon_server.auth.adapters.tables import metadata
from antiphon_server.auth.model.identities import LoginFlow, LoginId, ProviderName
from antiphon_server.auth.ports.identities import LoginFlowStore
from antiphon_server.runtime.sqlite import SqliteDatabase


@pytest.fixture(params=["memory", "sqlite"])
async def store(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[LoginFlowStore]:
    """Each store, empty."""
    if request.param == "memory":
        yield memory_stores().login_flows
        return
    database = SqliteDatabase(tmp_path / "auth.db")
    await database.write(metadata.create_all)
    yield sql_stores(database).login_flows
    await database.close()


def flow(number: int, expires: int = 1000) -> LoginFlow:
    """A login of that number."""
    login_id = LoginId(f"login_{number:04}")
    return LoginFlow(login_id, ProviderName("p"), "http://127.0.0.1:1/", b"s" * 32, expires)


async def test_a_login_is_taken_once_by_whoever_has_its_secret(store: LoginFlowStore) -> None:
    """Of many at once one gets it; another secret gets nothing and spoils nothing."""
    await store.add(flow(1), 0, 10)
    assert await store.take(flow(1).login_id, b"x" * 32) is None
    taken = await asyncio.gather(*(store.take(flow(1).login_id, b"s" * 32) for _ in range(10)))
    assert [one for one in taken if one] == [flow(1)]


async def test_under_a_flood_the_oldest_goes(store: LoginFlowStore) -> None:
    """There are never more than the most."""
    for number in range(6):
        await store.add(flow(number, 1000 + number), 0, 3)
    left = [await store.take(flow(number).login_id, b"s" * 32) for number in range(6)]
    assert [one is not None for one in left] == [False, False, False, True, True, True]


async def test_what_expired_makes_room_first(store: LoginFlowStore) -> None:
    """So that a quiet server forgets."""
    await store.add(flow(1, 10), 0, 3)
    await store.add(flow(2, 1000), 0, 3)
    await store.add(flow(3, 1000), 10, 3)
    assert await store.take(flow(1).login_id, b"s" * 32) is None
    assert await store.take(flow(2).login_id, b"s" * 32) is not None
