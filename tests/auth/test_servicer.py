"""AuthService as clients see it, over the local channel and over sockets."""

import asyncio
import uuid
from typing import Any

import jwt
import pytest
from google.protobuf.duration_pb2 import Duration
from google.protobuf.message import Message

from antiphon.auth.v1 import auth_pb2
from antiphon.auth.v1 import auth_service_pb2 as pb
from antiphon_server.auth import encoding
from antiphon_server.runtime.errors import Reason
from antiphon_server.runtime.rpc.paging import encode_page_token
from tests.auth.api import Api
from tests.auth.world import PASSWORD


async def test_a_persons_way_through_the_service(api: Api) -> None:
    """Create, sign in, who am I, refresh, list, log out, refused."""
    await api.make("ann")
    signed_in = await api.sign_in("Ann", "laptop")
    token = signed_in.tokens.access_token
    me = await api.call("WhoAmI", pb.WhoAmIRequest(), token)
    assert me.user == signed_in.user
    assert (me.session.device, me.session.current) == ("laptop", True)
    assert me.session.session_id == signed_in.tokens.session_id
    refresh = pb.RefreshRequest(refresh_token=signed_in.tokens.refresh_token)
    newer = (await api.call("Refresh", refresh)).tokens
    assert newer.session_id == signed_in.tokens.session_id
    assert await api.call("Refresh", refresh) == pb.RefreshResponse(tokens=newer)
    await api.sign_in("ann", "phone")
    listed = await api.call("ListSessions", pb.ListSessionsRequest(), newer.access_token)
    assert [(one.device, one.current) for one in listed.sessions] == [
        ("phone", False),
        ("laptop", True),
    ]
    await api.call("Logout", pb.LogoutRequest(), newer.access_token)
    for dead in (token, newer.access_token):
        error = await api.refused("WhoAmI", pb.WhoAmIRequest(), dead)
        assert error.reason is Reason.SESSION_REVOKED


async def test_sessions_are_listed_in_pages(api: Api) -> None:
    """Pages join; a token of another list is refused."""
    await api.make("ann")
    for number in range(5):
        token = (await api.sign_in("ann", f"device {number}")).tokens.access_token
    seen, page_token = [], ""
    while True:
        request = pb.ListSessionsRequest(page_size=2, page_token=page_token)
        page = await api.call("ListSessions", request, token)
        seen += [one.device for one in page.sessions]
        page_token = page.next_page_token
        if not page_token:
            break
    assert seen == [f"device {number}" for number in reversed(range(5))]
    who = await api.call("WhoAmI", pb.WhoAmIRequest(), token)
    own = encoding.sessions_of(who.user.user_id)
    foreign = encode_page_token(encoding.api_keys_of(who.user.user_id), "1", "key_00000001")
    for bad in ("x", "AAAA", encode_page_token(own, "one", "two"), foreign, "é"):
        request = pb.ListSessionsRequest(page_token=bad)
        error = await api.refused("ListSessions", request, token)
        assert error.reason is Reason.PAGE_TOKEN_INVALID


@pytest.mark.parametrize("what", ["Sessions", "ApiKeys"])
async def test_a_page_token_is_of_one_users_list(api: Api, what: str) -> None:
    """Whoever may list both users' is refused one's token for the other's list."""
    await api.make("ann", "bob")
    boss = (await api.sign_in()).tokens.access_token
    users = {}
    for name in ("ann", "bob"):
        token = (await api.sign_in(name)).tokens.access_token
        await api.call("CreateApiKey", pb.CreateApiKeyRequest(label="x"), token)
        users[name] = (await api.call("WhoAmI", pb.WhoAmIRequest(), token)).user.user_id
    request: Any = getattr(pb, f"List{what}Request")(user_id=users["ann"], page_size=1)
    request.page_token = (await api.call(f"List{what}", request, boss)).next_page_token
    assert request.page_token
    await api.call(f"List{what}", request, boss)
    request.user_id = users["bob"]
    error = await api.refused(f"List{what}", request, boss)
    assert error.reason is Reason.PAGE_TOKEN_INVALID


async def test_an_operator_revokes_anyones_session(api: Api) -> None:
    """Another user is told that there is no such session."""
    await api.make("ann", "eve")
    ann = (await api.sign_in("ann")).tokens
    eve = (await api.sign_in("eve")).tokens.access_token
    request = pb.RevokeSessionRequest(session_id=ann.session_id)
    assert (await api.refused("RevokeSession", request, eve)).reason is Reason.NOT_FOUND
    await api.call("WhoAmI", pb.WhoAmIRequest(), ann.access_token)
    await api.call("RevokeSession", request, (await api.sign_in()).tokens.access_token)
    error = await api.refused("WhoAmI", pb.WhoAmIRequest(), ann.access_token)
    assert error.reason is Reason.SESSION_REVOKED


async def test_only_operators_create_users(api: Api) -> None:
    """Neither a user nor anybody without a token may."""
    await api.make("ann")
    token = (await api.sign_in("ann")).tokens.access_token
    request = pb.CreateUserRequest(name="eve", password=PASSWORD, operator=True)
    assert (await api.refused("CreateUser", request, token)).reason is Reason.PERMISSION_DENIED
    assert (await api.refused("CreateUser", request)).reason is Reason.UNAUTHENTICATED


async def test_creating_a_user_is_idempotent(api: Api) -> None:
    """The same request id gets the same user; with another body it is refused."""
    token = (await api.sign_in()).tokens.access_token
    request = pb.CreateUserRequest(name="ann", password=PASSWORD, request_id=str(uuid.uuid4()))
    answers = await asyncio.gather(*(api.call("CreateUser", request, token) for _ in range(5)))
    assert all(answer == answers[0] for answer in answers)
    request.display_name = "Other"
    error = await api.refused("CreateUser", request, token)
    assert error.reason is Reason.REQUEST_ID_REUSED
    again = pb.CreateUserRequest(name="ANN", password=PASSWORD)
    error = await api.refused("CreateUser", again, token)
    assert (error.reason, error.metadata) == (Reason.ALREADY_EXISTS, {"resource": "users/ann"})


@pytest.mark.parametrize(
    ("rpc", "asked", "other"),
    [
        ("CreateApiKey", pb.CreateApiKeyRequest(label="ci"), {"label": "cd"}),
        ("CreatePasswordReset", pb.CreatePasswordResetRequest(), {"api_keys": True}),
        ("RotateSigningKeys", pb.RotateSigningKeysRequest(), {"compromised": True}),
    ],
)
async def test_a_lost_answer_is_given_again(
    api: Api, rpc: str, asked: Message, other: dict[str, Any]
) -> None:
    """Five at once and one later get one answer, and one event tells of it; no other body does."""
    token = (await api.sign_in()).tokens.access_token
    who = (await api.call("WhoAmI", pb.WhoAmIRequest(), token)).user
    fields = asked.DESCRIPTOR.fields_by_name
    ids = {"user_id": who.user_id} if "user_id" in fields else {}
    request = type(asked)(request_id=str(uuid.uuid4()), **ids)
    request.MergeFrom(asked)
    before = await _recorded(api)
    answers = await asyncio.gather(*(api.call(rpc, request, token) for _ in range(5)))
    answers.append(await api.call(rpc, request, token))
    assert all(answer == answers[0] for answer in answers)
    assert await _recorded(api) == before + 1
    changed = type(asked)(**other)
    request.MergeFrom(changed)
    assert (await api.refused(rpc, request, token)).reason is Reason.REQUEST_ID_REUSED
    assert await _recorded(api) == before + 1


async def _recorded(api: Api) -> int:
    return (await api.world.stores.security_events.head()).sequence


async def test_a_secret_that_is_given_again_works(api: Api) -> None:
    """The key of the second answer signs in; when it is revoked there is no third one."""
    token = (await api.sign_in()).tokens.access_token
    create = pb.CreateApiKeyRequest(label="ci", request_id=str(uuid.uuid4()))
    await api.call("CreateApiKey", create, token)
    made = await api.call("CreateApiKey", create, token)
    await api.call("Login", pb.LoginRequest(api_key=pb.ApiKeyCredential(api_key=made.secret)))
    revoke = pb.RevokeApiKeyRequest(key_id=made.api_key.key_id)
    await api.call("RevokeApiKey", revoke, token)
    assert (await api.refused("CreateApiKey", create, token)).reason is Reason.NOT_FOUND


async def test_a_programs_way_through_the_service(api: Api) -> None:
    """Create a key, sign in by it, list it without its secret, revoke it, refused."""
    await api.make("ann")
    token = (await api.sign_in("ann")).tokens.access_token
    create = pb.CreateApiKeyRequest(label="ci", ttl=Duration(seconds=60))
    made = await api.call("CreateApiKey", create, token)
    assert made.api_key.expire_time.seconds == made.api_key.create_time.seconds + 60
    login = pb.LoginRequest(api_key=pb.ApiKeyCredential(api_key=made.secret))
    opened = (await api.call("Login", login)).tokens
    (listed,) = (await api.call("ListApiKeys", pb.ListApiKeysRequest(), token)).api_keys
    assert listed.HasField("last_use_time")
    assert listed.last_address == ("127.0.0.1" if api.sockets else "")
    for field in ("last_use_time", "last_address"):
        listed.ClearField(field)
    assert listed == made.api_key
    await api.call("RevokeApiKey", pb.RevokeApiKeyRequest(key_id=listed.key_id), token)
    error = await api.refused("WhoAmI", pb.WhoAmIRequest(), opened.access_token)
    assert error.reason is Reason.SESSION_REVOKED
    assert (await api.refused("Login", login)).reason is Reason.CREDENTIALS_INVALID
    error = await api.refused("RevokeApiKey", pb.RevokeApiKeyRequest(key_id=listed.key_id), token)
    assert error.reason is Reason.NOT_FOUND


async def test_gateways_verify_tokens_by_the_published_keys(api: Api) -> None:
    """A standard library accepts a token by GetJwks alone."""
    token = (await api.sign_in()).tokens.access_token
    (key,) = (await api.call("GetJwks", pb.GetJwksRequest())).keys
    published = {"kty": key.kty, "crv": key.crv, "x": key.x, "kid": key.kid, "alg": key.alg}
    claims = jwt.decode(
        token,
        jwt.PyJWK(published),
        algorithms=["EdDSA"],
        audience="antiphon",
        options={"verify_exp": False, "verify_iat": False},
    )
    assert claims["operator"] is True
    assert jwt.get_unverified_header(token)["kid"] == key.kid


async def test_guesses_run_out_with_a_time_to_retry(api: Api) -> None:
    """After five wrong guesses the status says when the next may come."""
    await api.make("ann")
    guess = pb.LoginRequest(password=pb.PasswordCredential(name="ann", password="wrong"))
    errors = await asyncio.gather(*(api.refused("Login", guess) for _ in range(12)))
    reasons = [error.reason for error in errors]
    assert reasons.count(Reason.CREDENTIALS_INVALID) == 5
    assert reasons.count(Reason.TOO_MANY_ATTEMPTS) == 7
    waits = [error.retry_after for error in errors if error.retry_after]
    assert len(waits) == 7
    assert all(800 < wait <= 900 for wait in waits)


async def test_services_find_accounts_by_their_ids(api: Api) -> None:
    """What exists is told to them, the rest is not found; users may not ask."""
    await api.make("ann")
    signed_in = await api.sign_in("ann")
    request = pb.GetUserRequest(user_id=signed_in.user.user_id)
    service = api.world.tokens.access_tokens.for_service("context")[0]
    assert (await api.call("GetUser", request, service)).user == signed_in.user
    error = await api.refused("GetUser", request, signed_in.tokens.access_token)
    assert error.reason is Reason.PERMISSION_DENIED
    request.user_id = "user_nobody0000"
    assert (await api.refused("GetUser", request, service)).reason is Reason.NOT_FOUND


@pytest.mark.parametrize("method", ["WhoAmI", "Logout", "CreateApiKey"])
async def test_a_service_has_no_account(api: Api, method: str) -> None:
    """What belongs to an account is not found for a part of the installation."""
    token = api.world.tokens.access_tokens.for_service("dispatcher")[0]
    requests = {"CreateApiKey": pb.CreateApiKeyRequest(label="x")}
    request = requests.get(method) or getattr(pb, f"{method}Request")()
    assert (await api.refused(method, request, token)).reason is Reason.NOT_FOUND


@pytest.mark.parametrize(
    "request_",
    [
        pb.LoginRequest(),
        pb.LoginRequest(password=pb.PasswordCredential(name="ann")),
        pb.LoginRequest(password=pb.PasswordCredential(name="a" * 65, password="x")),
        pb.LoginRequest(password=pb.PasswordCredential(name="ann", password="x" * 1025)),
        pb.LoginRequest(api_key=pb.ApiKeyCredential(api_key="x" * 257)),
        pb.RefreshRequest(),
        pb.RefreshRequest(refresh_token="x" * 513),
        pb.RefreshRequest(refresh_token="antr_" + "\U0001f600" * 20),
    ],
)
async def test_strange_credentials_are_refused(api: Api, request_: Any) -> None:
    """Typed refusals before anything is hashed."""
    before = api.world.hasher.evaluations
    method = type(request_).__name__.removesuffix("Request")
    error = await api.refused(method, request_)
    assert error.reason in (Reason.INVALID_ARGUMENT, Reason.CREDENTIALS_INVALID)
    assert api.world.hasher.evaluations == before


def test_times_keep_their_microseconds() -> None:
    """No float is involved on the way to a Timestamp."""
    time = 1_800_000_000_123_456
    made = auth_pb2.ApiKey(expire_time=encoding.timestamp(time))
    assert made.expire_time.ToMicroseconds() == time
    assert not auth_pb2.ApiKey(expire_time=encoding.timestamp(None)).HasField("expire_time")
