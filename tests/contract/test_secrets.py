"""Every store of secrets keeps the same promises."""

import asyncio

import pytest
from sqlalchemy import text

from antiphon_server.auth.adapters.server_secret import MasterSecret
from antiphon_server.integration.secrets.adapters.sql import SqlSecrets
from antiphon_server.integration.secrets.adapters.tables import secrets
from antiphon_server.integration.secrets.model import MOST_SECRETS, SecretName
from antiphon_server.runtime.errors.domain_error import DomainError, Reason
from antiphon_server.runtime.storage.database import Database
from tests.fakes.databases import on_each_kind

ONE, OTHER = "ws_00000001", "ws_00000002"
A, B = SecretName("a"), SecretName("b")
CANARY = "c4nary-of-a-secret"
READS = 10_000


class Store(SqlSecrets):
    """One whose database can be looked into."""

    def __init__(self, database: Database) -> None:
        super().__init__(database, MasterSecret(bytes(range(32))))
        self.database = database

    async def sql(self, statement: str) -> list[tuple[object, ...]]:
        def run(it: object) -> list[tuple[object, ...]]:
            found = it.execute(text(statement))  # type: ignore[attr-defined]
            return [tuple(row) for row in found] if found.returns_rows else []

        return await self.database.write(run)


store = on_each_kind(Store, secrets.metadata)


async def test_the_last_value_counts_by_workspace(store: Store) -> None:
    """What was stored under a name is read; others' names are others' values."""
    first = await store.put(ONE, A, "1")
    await store.put(OTHER, A, "2")
    second = await store.put(ONE, A, "3")
    assert (await store.value(ONE, A), await store.value(OTHER, A)) == ("3", "2")
    assert second.created == first.created <= second.updated
    await store.delete(ONE, A)
    await store.delete(ONE, A)
    with pytest.raises(DomainError, match="NOT_FOUND"):
        await store.value(ONE, A)
    assert await store.value(OTHER, A) == "2"


async def test_names_are_listed_in_order_and_limited(store: Store) -> None:
    """By pages, without values; a hundred of a workspace, of which each may change."""
    for number in range(MOST_SECRETS):
        await store.put(ONE, SecretName(f"n{number:03}"), CANARY)
    page = await store.listed(ONE, "n009", 2)
    assert [each.name for each in page] == ["n010", "n011"]
    assert CANARY not in repr(page)
    with pytest.raises(DomainError) as refused:
        await store.put(ONE, A, "more")
    assert refused.value.reason is Reason.LIMIT_EXCEEDED
    await store.put(ONE, SecretName("n000"), "changed")


async def test_no_value_is_stored_in_plain_and_swapped_rows_do_not_open(store: Store) -> None:
    """A row of another workspace or name, in whole or in part, is none that opens."""
    await store.put(ONE, A, CANARY)
    await store.put(ONE, B, "b")
    rows = await store.sql("SELECT * FROM integration_secrets") + await store.sql(
        "SELECT * FROM integration_secret_keys"
    )
    assert not any(CANARY.encode() in bytes(x) for row in rows for x in row if isinstance(x, bytes))
    await store.sql("UPDATE integration_secrets SET name = 'c' WHERE name = 'a'")
    await store.sql("UPDATE integration_secrets SET workspace_id = 'ws_00000002' WHERE name = 'b'")
    for workspace, name in ((ONE, SecretName("c")), (OTHER, B)):
        with pytest.raises(DomainError, match="NOT_FOUND") as refused:
            await store.value(workspace, name)
        assert CANARY not in str(refused.value)


async def test_another_installations_secret_opens_nothing(store: Store) -> None:
    """A stolen database is worth nothing without the installation's secret."""
    await store.put(ONE, A, CANARY)
    thief = SqlSecrets(store.database, MasterSecret(bytes(reversed(range(32)))))
    with pytest.raises(DomainError, match="NOT_FOUND"):
        await thief.value(ONE, A)


async def test_beside_another_installations_secret_they_are_stored_anew(store: Store) -> None:
    """What was restored there does not open, and hinders neither new values nor a rotation."""
    await store.put(ONE, A, CANARY)
    await store.put(OTHER, A, "never stored anew")
    there = SqlSecrets(store.database, MasterSecret(bytes(reversed(range(32)))))
    assert [it.name for it in await there.listed(ONE, "", 10)] == [A]
    await there.put(ONE, A, "anew")
    await there.put(ONE, B, "b")
    assert await there.value(ONE, A) == "anew"
    assert await there.rotate() == 2
    assert (await there.value(ONE, A), await there.value(ONE, B)) == ("anew", "b")
    assert await store.value(OTHER, A) == "never stored anew"


async def test_keys_rotate_while_secrets_are_used(store: Store) -> None:
    """Ten thousand reads during rotations, none of which fails, and writes beside them."""
    names = [SecretName(f"n{number}") for number in range(10)]
    for name in names:
        await store.put(ONE, name, name)
    before = await store.sql("SELECT key_id FROM integration_secret_keys")
    done = 0

    async def read() -> None:
        nonlocal done
        for number in range(READS // 10):
            name = names[number % len(names)]
            assert await store.value(ONE, name) == name
            done += 1

    async def rotated() -> None:
        while done < READS:
            await store.rotate()
            await store.put(ONE, names[0], names[0])
            await asyncio.sleep(0.05)

    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(rotated())
        for _ in range(10):
            tasks.create_task(read())
    assert done == READS
    await store.rotate()
    after = await store.sql("SELECT key_id FROM integration_secret_keys")
    assert len(after) == 1
    assert after != before


async def test_many_may_store_the_first_at_once(store: Store) -> None:
    """When there is no key of the installation yet, either; one of the values is kept."""
    await asyncio.gather(*(store.put(ONE, A, str(each)) for each in range(8)))
    assert await store.value(ONE, A) in set("01234567")
