"""What a request did is stored with its answer."""

from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import replace

import pytest

from antiphon_server.auth.model import DAY, Request, StoredSigningKey, User
from antiphon_server.auth.model.chain import Head, SealedEvent
from antiphon_server.auth.model.identities import Identity, ProviderName
from antiphon_server.auth.model.password_resets import PasswordReset
from antiphon_server.auth.model.requests import Answer, Repeated
from antiphon_server.auth.ports import Stores
from antiphon_server.auth.ports.security_events import unrecorded
from antiphon_server.runtime.access.principal import UserId
from antiphon_server.runtime.errors import Reason
from tests.contract.auth_store.world import ANN, BOB, NOW, api_key, people, refusal

Act = Callable[[Stores, User, Answer], Awaitable[None]]


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


async def test_a_repeated_removal_removes_nothing_that_was_made_since(stores: Stores) -> None:
    """Neither a key nor an identity; another removal by the same id is refused."""
    await people(stores)
    requests = [Request("users/u", f"r{number}", b"d" * 32, NOW) for number in (1, 2)]
    key, provider = api_key(1), ProviderName("p")
    identity = Identity(provider, "https://issuer", "s", ANN.user_id, NOW)

    async def made() -> None:
        assert await stores.api_keys.add(key, 1, unrecorded)
        assert await stores.identities.add(identity, 1, unrecorded, lambda _: None)

    async def remove(answers: list[Answer]) -> None:
        with suppress(Repeated):
            await stores.api_keys.revoke(key, NOW, unrecorded, answers[0])
        with suppress(Repeated):
            its = identity.issuer, identity.subject
            await stores.identities.remove(*its, NOW, unrecorded, answers[1])

    await made()
    await remove([Answer(each, b"") for each in requests])
    assert await stores.api_keys.get(key.key_id) is None
    assert await stores.identities.list_of(ANN.user_id) == []
    await made()
    await remove([Answer(each, b"") for each in requests])
    others = [Answer(replace(each, digest=b"e" * 32), b"") for each in requests]
    assert await refusal(remove(others)) is Reason.REQUEST_ID_REUSED
    same = Answer(requests[0], b"")
    assert await refusal(remove([same, others[1]])) is Reason.REQUEST_ID_REUSED
    assert await stores.api_keys.get(key.key_id) == key
    assert await stores.identities.list_of(ANN.user_id) == [identity]
