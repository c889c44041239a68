"""Signing keys in stores."""

import asyncio
from dataclasses import replace

from antiphon_server.auth.model import DAY, StoredSigningKey
from antiphon_server.auth.ports import Stores
from antiphon_server.auth.ports.security_events import unrecorded
from tests.contract.auth_store.world import NOW


async def test_signing_keys_are_retired_and_forgotten(stores: Stores) -> None:
    """A retired key is valid until its time; retiring again never prolongs it."""
    keys = stores.signing_keys
    old = StoredSigningKey("old", b"p" * 32, b"sealed", NOW)
    new = StoredSigningKey("new", b"q" * 32, b"sealed", NOW + 1)
    newer = StoredSigningKey("newer", b"r" * 32, b"sealed", NOW + 2)
    assert await keys.rotate(old, NOW + 5, NOW, unrecorded)
    assert await keys.rotate(new, NOW + 10, NOW + 1, unrecorded)
    dying = replace(old, retire_time=NOW + 10)
    assert await keys.list_valid(NOW + 9) == [dying, new]
    assert await keys.rotate(newer, NOW + 20, NOW + 2, unrecorded)
    assert await keys.list_valid(NOW + 9) == [dying, replace(new, retire_time=NOW + 20), newer]
    assert await keys.list_valid(NOW + 10) == [replace(new, retire_time=NOW + 20), newer]


async def test_of_many_that_rotate_at_once_one_does(stores: Stores) -> None:
    """The others find a key that is newer than the one they meant to replace."""
    keys = stores.signing_keys
    old = StoredSigningKey("old", b"p" * 32, b"sealed", NOW)
    await keys.rotate(old, NOW, NOW, unrecorded)
    fresh = [StoredSigningKey(f"{n}", b"%032d" % n, b"sealed", NOW + DAY) for n in range(10)]
    done = await asyncio.gather(
        *(keys.rotate(key, NOW + 2 * DAY, NOW + DAY, unrecorded, NOW) for key in fresh)
    )
    assert sum(done) == 1
    assert len(await keys.list_valid(NOW + DAY)) == 2
