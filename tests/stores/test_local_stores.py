"""Stores for one machine: started, kept, guarded by a password, and ended."""

from pathlib import Path

import asyncpg
import pytest
from redis import asyncio as redis
from redis.exceptions import AuthenticationError

from antiphon_server.stores.local_postgres import start_postgres
from antiphon_server.stores.local_redis import start_redis


async def test_postgres_keeps_what_is_in_it(tmp_path: Path) -> None:
    """It is made at the first start, and the next one finds everything; its password guards it.

    It serves when the start returns, though one before it was killed and still says so.
    """
    first = await start_postgres(tmp_path / "postgres")
    state = tmp_path / "postgres" / "data" / "postmaster.pid"
    left_behind = state.read_text()
    try:
        connection = await asyncpg.connect(first.url)
        await connection.execute("CREATE TABLE kept AS SELECT 42 AS answer")
        assert await connection.fetchval("SHOW fsync") == "on"
        await connection.close()
        with pytest.raises(asyncpg.InvalidPasswordError):
            await asyncpg.connect(first.url, password="another")
    finally:
        await first.child.stop()
    state.write_text(left_behind)
    again = await start_postgres(tmp_path / "postgres")
    try:
        connection = await asyncpg.connect(again.url)
        assert await connection.fetchval("SELECT answer FROM kept") == 42
        await connection.close()
    finally:
        await again.child.stop()


async def test_redis_asks_for_its_password(tmp_path: Path) -> None:
    """Whoever has it is served; others on the machine are not."""
    server = await start_redis(tmp_path / "redis")
    try:
        async with redis.Redis.from_url(server.url) as client:
            assert await client.ping()
        address = server.url.rpartition("@")[2]
        async with redis.Redis.from_url(f"redis://{address}") as stranger:
            with pytest.raises(AuthenticationError):
                await stranger.ping()
    finally:
        await server.child.stop()
