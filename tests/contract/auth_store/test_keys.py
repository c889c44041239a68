"""API keys in stores."""

import asyncio
from dataclasses import replace

import pytest

from antiphon_server.auth.model import DAY, Position, User
from antiphon_server.auth.model.revocations import Ended
from antiphon_server.auth.ports import Stores
from antiphon_server.auth.ports.security_events import unrecorded
from antiphon_server.runtime.access.principal import SessionId
from antiphon_server.runtime.errors import DomainError, Reason
from tests.contract.auth_store.world import (
    ANN,
    BOB,
    NOW,
    api_key,
    made_with,
    opened,
    people,
    refusal,
    session,
)


async def test_a_key_is_found_by_the_hash_of_its_secret(stores: Stores) -> None:
    """What was stored comes back whole."""
    await stores.api_keys.add(api_key(1), 10, unrecorded)
    assert await stores.api_keys.find(api_key(1).secret_hash) == api_key(1)
    assert await stores.api_keys.find(b"x" * 32) is None


async def test_keys_are_bounded_and_listed_newest_first(stores: Stores) -> None:
    """The limit is per user; pages join without gaps."""
    added = [await stores.api_keys.add(api_key(n), 3, unrecorded) for n in range(4)]
    assert added == [True] * 3 + [False]
    assert await stores.api_keys.add(api_key(7, BOB), 3, unrecorded)
    first = await stores.api_keys.list_keys(ANN.user_id, None, 2)
    after = Position(first[-1].create_time, first[-1].key_id)
    rest = await stores.api_keys.list_keys(ANN.user_id, after, 2)
    assert first + rest == [api_key(2), api_key(1), api_key(0)]


async def test_a_revoked_key_ends_what_it_opened(stores: Stores) -> None:
    """Its live sessions end with it, and no session can be opened by it any more."""
    await stores.users.add(ANN, None, unrecorded)
    await stores.api_keys.add(api_key(1), 10, unrecorded)
    key = api_key(1).key_id
    assert await opened(stores, session(1, key=key)) == []
    await opened(stores, session(2))
    used = await stores.api_keys.find(api_key(1).secret_hash)
    assert used == replace(api_key(1), last_use_time=NOW)
    ended = [replace(session(1, key=key), end_time=NOW, announced=False)]
    assert await stores.api_keys.revoke(api_key(1), NOW, unrecorded) == Ended(ended, [key])
    assert await stores.sessions.get(session(2).session_id) == session(2)
    assert await stores.api_keys.find(api_key(1).secret_hash) is None
    assert await stores.api_keys.revoke(api_key(1), NOW, unrecorded) is None
    assert await opened(stores, session(3, key=key)) is None
    assert await stores.sessions.get(session(3).session_id) is None


async def test_keys_end_with_what_they_were_made_with(stores: Stores) -> None:
    """Children and theirs, with all that they opened, and none is made with them any more."""
    await stores.users.add(ANN, None, unrecorded)
    keys = {
        number: made_with(parent, number) for number, parent in ((1, 0), (2, 1), (3, 2), (4, 0))
    }
    for number, key in keys.items():
        assert await stores.api_keys.add(key, 10, unrecorded)
        await opened(stores, session(number, key=key.key_id))
    line = await stores.api_keys.lineage(ANN.user_id, keys[3].key_id)
    assert line == [keys[n].key_id for n in (1, 2, 3)]
    ended = await stores.api_keys.revoke(keys[1], NOW, unrecorded)
    assert ended is not None
    assert set(ended.keys) == {keys[n].key_id for n in (1, 2, 3)}
    assert {one.session_id for one in ended.sessions} == {session(n).session_id for n in (1, 2, 3)}
    late = stores.api_keys.add(made_with(2, 5), 10, unrecorded, None, session(2).session_id)
    assert await refusal(late) is Reason.SESSION_REVOKED
    assert [key.key_id for key in await stores.api_keys.list_keys(ANN.user_id, None, 9)] == [
        keys[4].key_id
    ]


@pytest.mark.parametrize("owner", [ANN, BOB], ids=["its own", "another's"])
async def test_no_key_is_made_behind_the_end_of_what_makes_it(stores: Stores, owner: User) -> None:
    """One that comes after the end of the session that asks is refused; before, it is made."""
    await people(stores)
    await opened(stores, session(1))
    sponsor = session(1).session_id

    async def add(number: int) -> bool:
        key = api_key(number, owner)
        return await stores.api_keys.add(key, 10, unrecorded, None, sponsor)

    ending = stores.sessions.end_all(ANN.user_id, None, NOW, unrecorded)
    told = await asyncio.gather(add(1), ending, add(2), return_exceptions=True)
    made = [number for number, answer in ((1, told[0]), (2, told[2])) if answer is True]
    refused = [error for error in told if isinstance(error, DomainError)]
    assert len(made) + len(refused) == 2  # several servers come in any order
    assert all(error.reason is Reason.SESSION_REVOKED for error in refused)
    assert await refusal(add(5)) is Reason.SESSION_REVOKED
    unknown = stores.api_keys.add(api_key(3), 10, unrecorded, None, SessionId("sess_00000009"))
    assert await refusal(unknown) is Reason.SESSION_REVOKED
    await opened(stores, session(4))
    over = replace(api_key(4, owner), create_time=NOW + DAY)
    expired = stores.api_keys.add(over, 10, unrecorded, None, session(4).session_id)
    assert await refusal(expired) is Reason.SESSION_REVOKED
    keys = await stores.api_keys.list_keys(owner.user_id, None, 9)
    assert {key.key_id for key in keys} == {api_key(number).key_id for number in made}


async def test_keys_may_end_with_all_sessions(stores: Stores) -> None:
    """But what the session that goes on was opened by, and those that this depends on."""
    await stores.users.add(ANN, None, unrecorded)
    await stores.api_keys.add(api_key(9, BOB), 10, unrecorded)
    for number, parent in ((1, 0), (2, 1), (3, 1), (4, 0)):
        await stores.api_keys.add(made_with(parent, number), 10, unrecorded)
    await opened(stores, session(1, key=api_key(2).key_id))
    await opened(stores, session(2))
    kept = session(1).session_id
    ended = await stores.sessions.end_all(ANN.user_id, kept, NOW, unrecorded)
    assert (ended.keys, ended.keys_left) == ((), 4)
    ended = await stores.sessions.end_all(ANN.user_id, kept, NOW, unrecorded, api_keys=True)
    assert (set(ended.keys), ended.keys_left) == ({api_key(n).key_id for n in (3, 4)}, 2)
    ended = await stores.sessions.end_all(ANN.user_id, None, NOW, unrecorded, api_keys=True)
    assert [one.session_id for one in ended.sessions] == [kept]
    assert (len(ended.keys), ended.keys_left) == (2, 0)
    found = await stores.api_keys.find(api_key(9).secret_hash)
    assert found == api_key(9, BOB)
