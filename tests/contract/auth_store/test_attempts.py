"""Counted guesses in stores."""

import asyncio

from antiphon_server.auth.ports import Stores
from tests.contract.auth_store.world import NOW


async def test_guesses_are_counted_in_windows(stores: Stores) -> None:
    """Concurrent guesses get different numbers; a window that is over begins anew."""
    count = stores.attempts.count
    counted = await asyncio.gather(*(count("k", NOW, 100) for _ in range(20)))
    assert sorted(counted) == [(number, NOW + 100) for number in range(1, 21)]
    assert await count("other", NOW, 100) == (1, NOW + 100)
    await stores.attempts.uncount("k")
    await stores.attempts.uncount("unknown")
    assert await count("k", NOW + 99, 100) == (20, NOW + 100)
    assert await count("k", NOW + 100, 100) == (1, NOW + 200)
    await stores.attempts.reset("k")
    assert await count("k", NOW + 101, 100) == (1, NOW + 201)


async def test_a_window_never_ends_later_than_its_length_from_now(stores: Stores) -> None:
    """Where the clock had run ahead: what was counted stays, the wait is shortened."""
    count = stores.attempts.count
    assert await count("k", NOW + 3_600, 100) == (1, NOW + 3_700)
    assert await count("k", NOW, 100) == (2, NOW + 100)
    assert await count("k", NOW + 50, 100) == (3, NOW + 100)
