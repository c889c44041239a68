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
from tests.auth.api import Api, key_login
from tests.auth.world import PASSWORD


async def test_a_persons_way_through_the_service(api: Api) -> None:
    """Create, sign in, who am I, refresh, list, log out, refused."""
    await api.make("ann")
    signed_in = await api.sign_in("Ann", "laptop")
    token = signed_in.tokens.access_token
    me = await api.who(token)
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
        assert await api.rejects(dead) is Reason.SESSION_REVOKED


async def test_sessions_are_listed_in_pages(api: Api) -> None:
    """Pages join; a token of another list is refused."""
    await api.make("ann")
    for number in range(5):
        token = await api.token("ann", f"device {number}")
    seen, page_token = [], ""
    while True:
        request = pb.ListSessionsRequest(page_size=2, page_token=page_token)
        page = await api.call("ListSessions", request, token)
        seen += [one.device for one in page.sessions]
        page_token = page.next_page_token
        if not page_token:
            break
    assert seen == [f"device {number}" for number in reversed(range(5))]
    who = await api.who(token)
    own = encoding.sessions_of(who.user.user_id)
    foreign = encode_page_token(encoding.api_keys_of(who.user.user_id), "1", "key_00000001")
    for bad in ("x", "AAAA", encode_page_token(own, "one", "two"), foreign, "é"):
        request = pb.ListSessionsRequest(page_token=bad)
        assert await api.why("ListSessions", request, token) is Reason.PAGE_TOKEN_INVALID


@pytest.mark.parametrize("what", ["Sessions", "ApiKeys"])
async def test_a_page_token_is_of_one_users_list(api: Api, what: str) -> None:
    """Whoever may list both users' is refused one's token for the other's list."""
    await api.make("ann", "bob")
    boss = await api.token()
    users = {}
    for name in ("ann", "bob"):
        token = await api.token(name)
        await api.call("CreateApiKey", pb.CreateApiKeyRequest(label="x"), token)
        users[name] = (await api.who(token)).user.user_id
    request: Any = getattr(pb, f"List{what}Request")(user_id=users["ann"], page_size=1)
    request.page_token = (await api.call(f"List{what}", request, boss)).next_page_token
    assert request.page_token
    await api.call(f"List{what}", request, boss)
    request.user_id = users["bob"]
    assert await api.why(f"List{what}", request, boss) is Reason.PAGE_TOKEN_INVALID


@pytest.mark.parametrize(
    ("rpc", "asked", "other"),
    [
        ("CreateApiKey", pb.CreateApiKeyRequest(label="ci"), {"label": "cd"}),
        ("CreateUser", pb.CreateUserRequest(name="ann", password=PASSWORD), {"name": "bob"}),
        ("CreatePasswordReset", pb.CreatePasswordResetRequest(), {"api_keys": True}),
        ("RotateSigningKeys", pb.RotateSigningKeysRequest(), {"compromised": True}),
    ],
)
async def test_a_lost_answer_is_given_again(
    api: Api, rpc: str, asked: Message, other: dict[str, Any]
) -> None:
    """Five at once and one later get one answer, and one event tells of it; no other body does."""
    token = await api.token()
    who = (await api.who(token)).user
    fields = asked.DESCRIPTOR.fields_by_name
    ids = {"user_id": who.user_id} if "user_id" in fields else {}
    request_id = str(uuid.uuid4())
    request = type(asked)(request_id=request_id, **ids)
    request.MergeFrom(asked)
    before = await _recorded(api)
    answers = await asyncio.gather(*(api.call(rpc, request, token) for _ in range(5)))
    answers.append(await api.call(rpc, request, token))
    assert all(answer == answers[0] for answer in answers)
    assert await _recorded(api) == before + 1
    changed = type(asked)(**other)
    request.MergeFrom(changed)
    refused = await api.refused(rpc, request, token)
    assert refused.reason is Reason.REQUEST_ID_REUSED
    assert refused.metadata == {"request_id": request_id}
    assert await _recorded(api) == before + 1


async def _recorded(api: Api) -> int:
    return (await api.world.stores.security_events.head()).sequence


async def test_a_secret_that_is_given_again_works(api: Api) -> None:
    """The key of the second answer signs in; when it is revoked there is no third one."""
    token = await api.token()
    create = pb.CreateApiKeyRequest(label="ci", request_id=str(uuid.uuid4()))
    await api.call("CreateApiKey", create, token)
    made = await api.call("CreateApiKey", create, token)
    await api.call("Login", key_login(made.secret))
    revoke = pb.RevokeApiKeyRequest(key_id=made.api_key.key_id)
    await api.call("RevokeApiKey", revoke, token)
    assert await api.why("CreateApiKey", create, token) is Reason.NOT_FOUND


async def test_a_programs_way_through_the_service(api: Api) -> None:
    """Create a key, sign in by it, list it without its secret, revoke it, refused."""
    await api.make("ann")
    token = await api.token("ann")
    create = pb.CreateApiKeyRequest(label="ci", ttl=Duration(seconds=60))
    made = await api.call("CreateApiKey", create, token)
    assert made.api_key.expire_time.seconds == made.api_key.create_time.seconds + 60
    login = key_login(made.secret)
    opened = (await api.call("Login", login)).tokens
    (listed,) = (await api.call("ListApiKeys", pb.ListApiKeysRequest(), token)).api_keys
    assert listed.HasField("last_use_time")
    assert listed.last_address == ("127.0.0.1" if api.sockets else "")
    for field in ("last_use_time", "last_address"):
        listed.ClearField(field)
    assert listed == made.api_key
    await api.call("RevokeApiKey", pb.RevokeApiKeyRequest(key_id=listed.key_id), token)
    assert await api.rejects(opened.access_token) is Reason.SESSION_REVOKED
    assert await api.why("Login", login) is Reason.CREDENTIALS_INVALID
    error = await api.refused("RevokeApiKey", pb.RevokeApiKeyRequest(key_id=listed.key_id), token)
    assert error.reason is Reason.NOT_FOUND


async def test_gateways_verify_tokens_by_the_published_keys(api: Api) -> None:
    """A standard library accepts a token by GetJwks alone."""
    token = await api.token()
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


@pytest.mark.parametrize("method", ["WhoAmI", "Logout", "CreateApiKey"])
async def test_a_service_has_no_account(api: Api, method: str) -> None:
    """What belongs to an account is not found for a part of the installation."""
    token = api.world.tokens.access_tokens.for_service("dispatcher")[0]
    requests = {"CreateApiKey": pb.CreateApiKeyRequest(label="x")}
    request = requests.get(method) or getattr(pb, f"{method}Request")()
    assert await api.why(method, request, token) is Reason.NOT_FOUND


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
