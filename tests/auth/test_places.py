"""Sessions: how, from where, how long; listed and ended by their owner and by operators."""

from antiphon.auth.v1 import auth_service_pb2 as pb
from antiphon.auth.v1.auth_pb2 import LOGIN_METHOD_API_KEY, LOGIN_METHOD_PASSWORD
from antiphon_server.auth.model import DAY, SECOND
from antiphon_server.auth.service.opening import SessionSettings
from antiphon_server.auth.service.token_settings import TokenSettings
from antiphon_server.runtime.errors import Reason
from tests.auth.api import Api, key_login
from tests.auth.test_recorded import kinds
from tests.auth.world import World, reason

HOUR = 3_600 * SECOND


async def test_a_session_says_how_and_from_where(api: Api) -> None:
    """Its method and both places are shown to its owner; inside the process there is no place."""
    await api.make("ann")
    tokens = (await api.sign_in("ann")).tokens
    place = "127.0.0.1" if api.sockets else ""
    session = (await api.who(tokens.access_token)).session
    assert (session.method, session.first_address, session.last_address) == (
        LOGIN_METHOD_PASSWORD,
        place,
        place,
    )
    operator = await api.token()
    (own,) = [
        one
        for one in (await api.call("ListSessions", pb.ListSessionsRequest(), operator)).sessions
        if one.current
    ]
    assert own.method == LOGIN_METHOD_API_KEY
    assert own.final_expire_time.seconds == own.create_time.seconds + 180 * 86_400


async def test_a_refresh_notes_where_it_came_from(world: World) -> None:
    """The first place stays, the last one moves; a repeat of the same refresh moves nothing."""
    first = (await world.newcomer()).tokens
    await world.refresh(first.refresh_token, "198.51.100.7")
    await world.refresh(first.refresh_token, "203.0.113.9")
    session = await world.accounts.sessions.get(first.session_id)
    assert (session.first_address, session.last_address) == ("192.0.2.1", "198.51.100.7")


async def test_idle_and_absolute_expiry_are_settings(world: World) -> None:
    """Each is what was set, and an access token lives as long as was set."""
    sessions = SessionSettings(idle=HOUR, longest=DAY)
    await world.restart(tokens=TokenSettings(user_seconds=60), sessions=sessions)
    await world.user()
    pair, start = (await world.login()).tokens, int(world.clock() * SECOND)
    assert pair.access_expire_time == start // SECOND * SECOND + 60 * SECOND
    assert pair.refresh_expire_time == start + HOUR
    for _ in range(25):
        world.clock.time += 3_500
        try:
            pair = await world.refresh(pair.refresh_token)
        except Exception:
            break
    assert pair.refresh_expire_time == start + DAY
    assert world.clock.time * SECOND >= start + DAY


async def test_all_but_the_calling_session_are_ended(api: Api) -> None:
    """A lost device is locked out by one call; the caller goes on."""
    await api.make("ann", "eve")
    lost = [await api.token("ann") for _ in range(3)]
    other = await api.token("eve")
    token = await api.token("ann")
    answer = await api.call("RevokeAllSessions", pb.RevokeAllSessionsRequest(), token)
    assert answer.revoked == 3
    for dead in lost:
        assert await api.rejects(dead) is Reason.SESSION_REVOKED
    for alive in (token, other):
        await api.who(alive)
    assert len(api.world.events.told) == 3


async def test_keys_end_with_all_sessions_if_asked_for(api: Api) -> None:
    """Nothing that a stolen session has made goes on; without, it is said how many keys do."""
    await api.make("ann")
    thief = await api.sign_in("ann")
    making = pb.CreateApiKeyRequest(label="mine")
    secret = (await api.call("CreateApiKey", making, thief.tokens.access_token)).secret
    operator = await api.token()
    ending = pb.RevokeAllSessionsRequest(user_id=thief.user.user_id)
    answer = await api.call("RevokeAllSessions", ending, operator)
    assert answer == pb.RevokeAllSessionsResponse(revoked=1, remaining_api_keys=1)
    by_key = key_login(secret)
    token = (await api.call("Login", by_key)).tokens.access_token
    ending.api_keys = True
    answer = await api.call("RevokeAllSessions", ending, operator)
    assert answer == pb.RevokeAllSessionsResponse(revoked=1, revoked_api_keys=1)
    assert await api.rejects(token) is Reason.SESSION_REVOKED
    assert (await kinds(api.world))[-2:] == ["api_key_revoked", "session_revoked"]
    assert await api.why("Login", by_key) is Reason.CREDENTIALS_INVALID
    listing = pb.ListApiKeysRequest(user_id=thief.user.user_id)
    assert not (await api.call("ListApiKeys", listing, operator)).api_keys
    keys = (await api.call("ListApiKeys", pb.ListApiKeysRequest(), operator)).api_keys
    everything = pb.RevokeAllSessionsRequest(api_keys=True)
    answer = await api.call("RevokeAllSessions", everything, operator)
    assert (answer.revoked_api_keys, answer.remaining_api_keys) == (0, len(keys))


async def test_operators_list_and_end_the_sessions_of_others(api: Api) -> None:
    """Everybody else is told that there is no such user."""
    await api.make("ann", "eve")
    ann = await api.sign_in("ann", "laptop")
    eve = await api.token("eve")
    operator = await api.token()
    listing = pb.ListSessionsRequest(user_id=ann.user.user_id)
    ending = pb.RevokeAllSessionsRequest(user_id=ann.user.user_id)
    for method, request in (("ListSessions", listing), ("RevokeAllSessions", ending)):
        assert await api.why(method, request, eve) is Reason.NOT_FOUND
        nobody = type(request)(user_id="user_00000000")
        assert await api.why(method, nobody, operator) is Reason.NOT_FOUND
    (listed,) = (await api.call("ListSessions", listing, operator)).sessions
    assert (listed.device, listed.current) == ("laptop", False)
    assert (await api.call("RevokeAllSessions", ending, operator)).revoked == 1
    assert await api.rejects(ann.tokens.access_token) is Reason.SESSION_REVOKED
    await api.who(operator)


async def test_every_end_has_its_place_in_one_order(world: World) -> None:
    """However a session ended, whoever reads on from a place learns of it, once."""
    user = await world.user()
    key, secret = await world.accounts.api_keys.create(user.user_id, "ci", None)
    by_key = (await world.login_by_key(secret)).tokens.session_id
    pairs = [(await world.login()).tokens for _ in range(3)]
    start = await world.stores.endings.last()
    await world.accounts.api_keys.revoke(key.key_id)
    me = await world.verify(pairs[0].access_token)
    await world.accounts.sessions.revoke(me, pairs[1].session_id)
    await world.accounts.sessions.revoke(me, pairs[1].session_id)
    await world.refresh(pairs[2].refresh_token)
    world.clock.time += 60
    assert await reason(world.refresh(pairs[2].refresh_token)) is Reason.SESSION_REVOKED
    await world.accounts.sessions.revoke_all(me, "")
    await world.accounts.sessions.revoke(me, me.session_id)
    found = await world.stores.endings.after(start, 9)
    expected = [by_key, pairs[1].session_id, pairs[2].session_id, pairs[0].session_id]
    assert [one.session_id for one in found] == expected
    assert [one.position for one in found] == list(range(start + 1, start + 5))
    assert await world.stores.endings.after(start + 2, 1) == found[2:3]
    assert await world.stores.endings.last() == start + 4
