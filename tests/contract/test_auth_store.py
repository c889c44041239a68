"""Every store of identity keeps the same promises."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import replace
from pathlib import Path

import pytest

from antiphon_server.auth.adapters.memory import memory_stores
from antiphon_server.auth.adapters.sql import sql_stores
from antiphon_server.auth.adapters.tables import metadata
from antiphon_server.auth.model import (
    DAY,
    ApiKey,
    KeyId,
    Position,
    Request,
    Session,
    StoredSigningKey,
    User,
)
from antiphon_server.auth.model.chain import Head, SealedEvent
from antiphon_server.auth.model.identities import Identity, ProviderName
from antiphon_server.auth.model.openings import Opening
from antiphon_server.auth.model.password_resets import PasswordReset
from antiphon_server.auth.model.requests import Answer, Repeated
from antiphon_server.auth.model.revocations import Ended
from antiphon_server.auth.ports import Stores
from antiphon_server.auth.ports.security_events import unrecorded
from antiphon_server.runtime.errors import DomainError, Reason
from antiphon_server.runtime.principal import SessionId, UserId
from tests.fakes.databases import KINDS, opened_database

NOW = 1_000 * DAY
Act = Callable[[Stores, User, Answer], Awaitable[None]]
ANN = User(UserId("user_00000001"), "ann", "Ann", False, "hash", NOW)
BOB = User(UserId("user_00000002"), "bob", "Bob", True, None, NOW)


@pytest.fixture(params=["memory", *KINDS])
async def stores(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Stores]:
    """Each set of stores, empty."""
    if request.param == "memory":
        yield memory_stores()
        return
    async with opened_database(request, tmp_path, metadata) as database:
        yield sql_stores(database)


async def people(stores: Stores) -> None:
    """Make the accounts: nobody else has sessions."""
    for user in (ANN, BOB):
        await stores.users.add(user, None, unrecorded)


async def opened(stores: Stores, added: Session, most: int = 10) -> list[Session] | None:
    """Store a session; those that it ended."""
    made = await stores.sessions.add(Opening(added, most), unrecorded)
    return made.ended if made else None


def session(number: int, user: User = ANN, key: KeyId | None = None, age: int = 0) -> Session:
    """A live session, opened and last used ``age`` ago."""
    return Session(
        session_id=SessionId(f"sess_{number:08}"),
        user_id=user.user_id,
        device="test",
        api_key_id=key,
        create_time=NOW - age,
        last_use_time=NOW - age,
        expire_time=NOW + DAY,
        final_expire_time=NOW + 2 * DAY,
        generation=0,
        refresh_hash=b"1" * 32,
        previous_hash=None,
        rotate_time=NOW - age,
    )


def api_key(number: int, user: User = ANN) -> ApiKey:
    """A key that does not expire."""
    digest = number.to_bytes(32, "big")
    return ApiKey(KeyId(f"key_{number:08}"), user.user_id, "label", digest, NOW + number)


def made_with(parent: int, number: int) -> ApiKey:
    """A key of Ann's that was made with another one; 0 for none."""
    return replace(api_key(number), parent_key_id=api_key(parent).key_id if parent else None)


def ending(at: Session) -> tuple[Session, str]:
    """A rule that ends a session."""
    return replace(at, end_time=NOW, announced=False), "ended"


async def refusal(attempt: object) -> Reason:
    """Why an awaitable was refused."""
    with pytest.raises(DomainError) as caught:
        await attempt  # type: ignore[misc]
    return caught.value.reason


async def test_a_user_is_found_by_id_and_name(stores: Stores) -> None:
    """What was stored comes back whole; what was not is None."""
    await stores.users.add(ANN, None, unrecorded)
    await stores.users.add(BOB, None, unrecorded)
    assert await stores.users.get(ANN.user_id) == ANN
    assert await stores.users.find("bob") == BOB
    assert await stores.users.find("eve") is None
    assert await stores.users.get(UserId("user_00000009")) is None


async def test_names_are_found_by_ids(stores: Stores) -> None:
    """Those of all who exist, in one go; nobody else's."""
    await people(stores)
    ids = [ANN.user_id, UserId("user_nobody00"), BOB.user_id, ANN.user_id]
    assert await stores.users.names_of(ids) == {ANN.user_id: "Ann", BOB.user_id: "Bob"}
    assert await stores.users.names_of([]) == {}


async def test_a_name_belongs_to_one_user(stores: Stores) -> None:
    """The second user of a name is refused, and nothing of it is stored."""
    await stores.users.add(ANN, None, unrecorded)
    other = replace(BOB, name="ann")
    assert await refusal(stores.users.add(other, None, unrecorded)) is Reason.ALREADY_EXISTS
    assert await stores.users.get(other.user_id) is None


async def _reset(stores: Stores, user: User, answer: Answer) -> None:
    reset = PasswordReset(user.user_id, user.name.encode() * 8, 0, NOW)
    await stores.password_resets.put(reset, unrecorded, answer)


async def _key(stores: Stores, user: User, answer: Answer) -> None:
    key = api_key(1 if user is ANN else 2, user)
    assert await stores.api_keys.add(key, 1, unrecorded, answer)


async def _rotation(stores: Stores, user: User, answer: Answer) -> None:
    fresh = StoredSigningKey(user.name, b"p" * 32, b"s", NOW)
    await stores.signing_keys.rotate(fresh, NOW + DAY, NOW, unrecorded, answer=answer)


async def _user(stores: Stores, user: User, answer: Answer) -> None:
    await stores.users.add(replace(user, user_id=UserId(f"{user.user_id}x")), answer, unrecorded)


async def _link(stores: Stores, user: User, answer: Answer) -> None:
    identity = Identity(ProviderName("p"), "https://issuer", user.name, user.user_id, NOW)
    assert await stores.identities.add(identity, 1, unrecorded, lambda _: answer)


async def _event(stores: Stores, user: User, answer: Answer) -> None:
    def records(_: None, head: Callable[[], Head]) -> list[SealedEvent]:
        place, nothing = head().sequence + 1, bytes(32)
        return [SealedEvent(place, 50, user.user_id, "", NOW, b"b", nothing, nothing, nothing)]

    await stores.security_events.append(records, answer)


async def _done(stores: Stores) -> int:
    """How much of what they do is there."""
    lists = [await stores.api_keys.list_keys(user.user_id, None, 9) for user in (ANN, BOB)]
    resets = [await stores.password_resets.find(user.name.encode() * 8) for user in (ANN, BOB)]
    made = [await stores.users.get(UserId(f"{user.user_id}x")) for user in (ANN, BOB)]
    keys = await stores.signing_keys.list_valid(NOW)
    links = [await stores.identities.list_of(user.user_id) for user in (ANN, BOB)]
    return (
        sum(map(len, lists))
        + sum(map(len, links))
        + len(keys)
        + (await stores.security_events.head()).sequence
        + len(list(filter(None, [*made, *resets])))
    )


@pytest.mark.parametrize("act", [_event, _key, _link, _reset, _rotation, _user])
async def test_a_request_is_answered_once(stores: Stores, act: Act) -> None:
    """Within 24 h an id stands for one body and one answer, and what it asks is done once.

    That is said before anything else that speaks against doing it again, as a limit would.
    """
    request = Request("users/u", "r1", b"d" * 32, NOW)
    later = replace(request, create_time=NOW + DAY - 1)
    other = replace(later, digest=b"e" * 32)
    await act(stores, ANN, Answer(request, b"first"))
    with pytest.raises(Repeated) as repeated:
        await act(stores, ANN, Answer(later, b"second"))
    assert repeated.value.response == b"first"
    assert await refusal(act(stores, BOB, Answer(other, b"second"))) is Reason.REQUEST_ID_REUSED
    assert await _done(stores) == 1
    assert await stores.requests.response(later) == b"first"
    assert await refusal(stores.requests.response(other)) is Reason.REQUEST_ID_REUSED
    somebody = replace(later, principal="users/v")
    next_day = replace(other, create_time=NOW + DAY)
    assert await stores.requests.response(somebody) is None
    assert await stores.requests.response(next_day) is None
    await act(stores, BOB, Answer(next_day, b"third"))
    assert await stores.requests.response(next_day) == b"third"


async def test_what_is_linked_already_answers_a_request(stores: Stores) -> None:
    """It stays as it was, also where there is no room; and the request is done with."""
    await people(stores)
    request = Request("users/u", "r1", b"d" * 32, NOW)
    linked = Identity(ProviderName("p"), "https://issuer", "s", ANN.user_id, NOW)
    later = replace(linked, provider=ProviderName("q"), create_time=NOW + 1)

    def answer(made: Identity) -> Answer:
        return Answer(request, made.provider.encode())

    add = stores.identities.add
    assert await add(linked, 1, unrecorded, lambda _: None) == linked
    assert await add(later, 1, unrecorded, answer) == linked
    another = add(replace(later, user_id=BOB.user_id), 1, unrecorded, lambda _: None)
    assert await refusal(another) is Reason.ALREADY_EXISTS
    await stores.identities.remove("https://issuer", "s", NOW, unrecorded)
    with pytest.raises(Repeated) as repeated:
        await add(later, 1, unrecorded, answer)
    assert repeated.value.response == b"p"
    assert await stores.identities.list_of(ANN.user_id) == []


async def test_a_password_hash_is_replaced_only_if_unchanged(stores: Stores) -> None:
    """A stronger hash of an old password never undoes a change of password."""
    await stores.users.add(ANN, None, unrecorded)
    await stores.users.replace_password_hash(ANN.user_id, "other", "new")
    assert await stores.users.get(ANN.user_id) == ANN
    await stores.users.replace_password_hash(ANN.user_id, "hash", "new")
    assert await stores.users.get(ANN.user_id) == replace(ANN, password_hash="new")


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
