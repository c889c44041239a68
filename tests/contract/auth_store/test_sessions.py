"""Sessions in stores."""

import asyncio
from dataclasses import replace

from antiphon_server.auth.model import DAY, Position, Session
from antiphon_server.auth.ports import Stores
from antiphon_server.auth.ports.security_events import unrecorded
from antiphon_server.runtime.access.principal import SessionId
from tests.contract.auth_store.world import ANN, BOB, NOW, ending, opened, people, session


async def test_changes_of_a_session_happen_one_after_another(stores: Stores) -> None:
    """Concurrent rules each see what the one before left."""
    await people(stores)
    await opened(stores, session(1))

    def count(at: Session) -> tuple[Session, int]:
        return replace(at, generation=at.generation + 1), at.generation

    which = session(1).session_id
    change = stores.sessions.change
    seen = await asyncio.gather(*(change(which, count, unrecorded) for _ in range(50)))
    assert sorted(number for number in seen if number is not None) == list(range(50))
    stored = await stores.sessions.get(which)
    assert stored == replace(session(1), generation=50)
    assert await stores.sessions.change(SessionId("sess_00000009"), count, unrecorded) is None


async def test_live_sessions_are_listed_newest_first_in_pages(stores: Stores) -> None:
    """Pages join without gaps; ended, expired and other people's sessions are left out."""
    await people(stores)
    for number in range(5):
        await opened(stores, session(number, age=number // 2))
    await opened(stores, session(8, BOB))
    await stores.sessions.change(session(2).session_id, ending, unrecorded)
    first = await stores.sessions.list_live(ANN.user_id, NOW, None, 2)
    after = Position(first[-1].create_time, first[-1].session_id)
    rest = await stores.sessions.list_live(ANN.user_id, NOW, after, 9)
    numbers = [int(found.session_id[5:]) for found in first + rest]
    assert numbers == [1, 0, 3, 4]
    assert await stores.sessions.list_live(ANN.user_id, NOW + DAY, None, 9) == []


async def test_the_least_used_session_makes_room(stores: Stores) -> None:
    """A user's live sessions are bounded; those ended for it are returned."""
    await people(stores)
    for number in range(3):
        assert await opened(stores, session(number, age=9 - number), 3) == []
    await opened(stores, session(7, BOB, age=20), 3)
    ended = await opened(stores, session(4), 3)
    assert ended is not None
    assert ended == [replace(session(0, age=9), end_time=NOW, announced=False)]
    assert await stores.sessions.get(ended[0].session_id) == ended[0]


async def test_sessions_that_ended_long_ago_are_forgotten(stores: Stores) -> None:
    """After 30 days; not one that lives, whose end is not told yet, or that ran out unseen."""
    await people(stores)
    for number in (1, 2, 3):
        await opened(stores, session(number))
    for number in (2, 3):
        await stores.sessions.change(session(number).session_id, ending, unrecorded)
    await stores.sessions.mark_announced([session(2).session_id])
    await stores.sessions.expire(NOW + DAY, 9, unrecorded)
    await opened(stores, session(4))
    await opened(stores, replace(session(5), expire_time=NOW + 90 * DAY))
    await opened(stores, replace(session(6), create_time=NOW + 31 * DAY))
    found = [await stores.sessions.get(session(number).session_id) for number in range(1, 7)]
    assert [one is not None for one in found] == [False, False, True, True, True, True]


async def test_an_end_is_unannounced_until_marked(stores: Stores) -> None:
    """Ends are told once, the oldest first, whatever was in between."""
    await people(stores)
    for number in range(3):
        await opened(stores, session(number))
        await stores.sessions.change(session(number).session_id, ending, unrecorded)
    waiting = await stores.sessions.list_unannounced(2)
    assert len(waiting) == 2
    await stores.sessions.mark_announced([one.session_id for one in waiting])
    assert len(await stores.sessions.list_unannounced(9)) == 1
