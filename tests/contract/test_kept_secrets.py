"""Every store of what the product itself keeps sealed lets one of many change it."""

import asyncio

from antiphon_server.auth.adapters.server_secret import MasterSecret
from antiphon_server.integration.secrets.adapters.kept import SqlKeptSecrets
from antiphon_server.integration.secrets.adapters.tables import secrets
from antiphon_server.integration.secrets.model import SecretName
from antiphon_server.runtime.storage.database import Database
from tests.fakes.databases import on_each_kind

PLACE, A, B = "oauth/ws_00000001", SecretName("a"), SecretName("b")


class Store(SqlKeptSecrets):
    """One whose database another installation may look into."""

    def __init__(self, database: Database) -> None:
        super().__init__(database, MasterSecret(bytes(range(32))))
        self.database = database


store = on_each_kind(Store, secrets.metadata)


async def test_one_of_all_who_saw_the_same_changes_it(store: Store) -> None:
    """The others are told, and read what the first has stored; so it is with what is new."""
    for seen in range(2):
        found = await store.read(PLACE, A)
        version = found[1] if found else 0
        assert bool(version) is bool(seen)
        done = await asyncio.gather(
            *(store.replace(PLACE, A, f"{seen} {each}", version) for each in range(8))
        )
        (won,) = [(each, it) for each, it in enumerate(done) if it is not None]
        assert await store.read(PLACE, A) == (f"{seen} {won[0]}", won[1])
        assert won[1] > version


async def test_what_is_taken_is_taken_once(store: Store) -> None:
    """And what was removed meanwhile is not stored again by who saw it."""
    version = await store.replace(PLACE, A, "it", 0)
    assert version is not None
    taken = await asyncio.gather(*(store.take(PLACE, A) for _ in range(8)))
    assert sorted(filter(None, taken)) == ["it"]
    assert await store.replace(PLACE, A, "again", version) is None
    assert await store.read(PLACE, A) is None


async def test_it_is_no_secret_of_the_workspace(store: Store) -> None:
    """It is not listed with those, and a rotation wraps it with them."""
    await store.replace(PLACE, A, "it", 0)
    assert not await store.listed("ws_00000001", "", 10)
    assert await store.rotate() == 1
    assert (await store.read(PLACE, A) or ("", 0))[0] == "it"


async def test_what_is_old_is_pruned(store: Store) -> None:
    """In its place alone."""
    first = await store.replace(PLACE, A, "old", 0)
    assert first is not None
    await store.replace(PLACE, B, "new", 0)
    await store.replace("oauth/ws_00000002", A, "other", 0)
    await store.prune(PLACE, first + 1)
    assert await store.read(PLACE, A) is None
    assert await store.read(PLACE, B) is not None
    assert await store.read("oauth/ws_00000002", A) is not None


async def test_what_does_not_open_here_is_empty(store: Store) -> None:
    """A restored database of another installation: its grants are none."""
    await store.replace(PLACE, A, "it", 0)
    here = SqlKeptSecrets(store.database, MasterSecret(bytes(reversed(range(32)))))
    found = await here.read(PLACE, A)
    assert found is not None
    assert found[0] == ""
