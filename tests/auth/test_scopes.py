"""Limited credentials, and programs that sign in with them."""

import pytest

from antiphon.auth.v1 import auth_service_pb2 as pb
from antiphon.auth.v1.access_pb2 import SCOPE_ACCOUNT, SCOPE_READ, SCOPE_WRITE
from antiphon.auth.v1.auth_pb2 import LOGIN_METHOD_CLIENT_CREDENTIALS, USER_KIND_PROGRAM
from antiphon_server.auth.service.key_format import new_secret
from antiphon_server.runtime.access.permissions import Scope
from antiphon_server.runtime.errors import DomainError, Reason
from tests.auth.api import Api, key_login
from tests.auth.test_tokens import claims, segments
from tests.auth.world import PASSWORD, World


def client_login(client_id: str, secret: str) -> pb.LoginRequest:
    """Client credentials."""
    credential = pb.ClientCredential(client_id=client_id, client_secret=secret)
    return pb.LoginRequest(client=credential, device="worker")


async def key_of(api: Api, token: str, *scopes: int, user_id: str = "") -> pb.CreateApiKeyResponse:
    """Make a key."""
    request = pb.CreateApiKeyRequest(label="ci", user_id=user_id)
    request.scopes.extend(scopes)  # type: ignore[arg-type]
    made: pb.CreateApiKeyResponse = await api.call("CreateApiKey", request, token)
    return made


async def by_key(api: Api, secret: str) -> str:
    """An access token for a key."""
    login = key_login(secret)
    return str((await api.call("Login", login)).tokens.access_token)


async def test_a_keys_limits_are_its_sessions_and_its_tokens(api: Api) -> None:
    """Listed with the key and the session, named in the token, kept by a refresh."""
    await api.make("ann")
    made = await key_of(api, await api.token("ann"), SCOPE_ACCOUNT, SCOPE_READ)
    assert list(made.api_key.scopes) == [SCOPE_READ, SCOPE_ACCOUNT]
    login = key_login(made.secret)
    tokens = (await api.call("Login", login)).tokens
    session = (await api.who(tokens.access_token)).session
    assert list(session.scopes) == [SCOPE_READ, SCOPE_ACCOUNT]
    refresh = pb.RefreshRequest(refresh_token=tokens.refresh_token)
    tokens = (await api.call("Refresh", refresh)).tokens
    assert segments(tokens.access_token)[1]["scope"] == "account read"
    principal = await api.world.verify(tokens.access_token)
    assert principal.scopes == frozenset({Scope.READ, Scope.ACCOUNT})


async def test_a_token_without_the_claim_has_no_limits(world: World) -> None:
    """The claim is left out, and names that this version does not know grant nothing."""
    token = (await world.newcomer()).tokens.access_token
    parts, old = segments(token)
    assert "scope" not in old
    assert (await world.verify(token)).scopes is None
    private = world.tokens.signing_keys.signer()[1]
    future = claims(scope="read teleport")(parts, old, private)
    assert (await world.verify(future)).scopes == frozenset({Scope.READ})
    nothing = claims(scope="")(parts, old, private)
    assert (await world.verify(nothing)).scopes == frozenset()
    wrong: object
    for wrong in (7, ["read"], True, {}):
        with pytest.raises(DomainError) as caught:
            await world.verify(claims(scope=wrong)(parts, old, private))
        assert caught.value.reason is Reason.TOKEN_INVALID


async def test_a_limited_session_makes_no_wider_key(api: Api) -> None:
    """Equal or narrower ones it may make; without limits or with more it is refused."""
    await api.make("ann")
    full = await api.token("ann")
    limited = await by_key(api, (await key_of(api, full, SCOPE_READ, SCOPE_ACCOUNT)).secret)
    await key_of(api, limited, SCOPE_READ)
    await key_of(api, limited, SCOPE_READ, SCOPE_ACCOUNT)
    for scopes in ([], [SCOPE_WRITE], [SCOPE_READ, SCOPE_WRITE]):
        request = pb.CreateApiKeyRequest(label="wide", scopes=scopes)
        assert await api.why("CreateApiKey", request, limited) is Reason.PERMISSION_DENIED


async def program(api: Api, operator: str, name: str = "worker") -> str:
    """Make a program; returns its id."""
    request = pb.CreateUserRequest(name=name, kind=USER_KIND_PROGRAM)
    return str((await api.call("CreateUser", request, operator)).user.user_id)


async def test_a_program_signs_in_for_as_long_as_its_token_lives(api: Api) -> None:
    """By name or id; there is no refresh token, and the session is over with the token."""
    operator = await api.token()
    user_id = await program(api, operator)
    made = await key_of(api, operator, SCOPE_READ, SCOPE_ACCOUNT, user_id=user_id)
    assert made.api_key.user_id == user_id
    for client_id in ("worker", "Worker", user_id):
        answer = await api.call("Login", client_login(client_id, made.secret))
    assert answer.user.kind == USER_KIND_PROGRAM
    assert answer.tokens.refresh_token == ""
    assert not answer.tokens.HasField("refresh_expire_time")
    me = await api.who(answer.tokens.access_token)
    assert me.session.method == LOGIN_METHOD_CLIENT_CREDENTIALS
    assert list(me.session.scopes) == [SCOPE_READ, SCOPE_ACCOUNT]
    listing = pb.ListSessionsRequest(user_id=user_id)
    assert len((await api.call("ListSessions", listing, operator)).sessions) == 3
    api.world.clock.time += 900
    assert await api.rejects(answer.tokens.access_token) is Reason.TOKEN_EXPIRED
    operator = await api.token()
    assert not (await api.call("ListSessions", listing, operator)).sessions


async def test_wrong_client_credentials_are_all_alike(api: Api) -> None:
    """Another's name, a person's key, a guess and a typo get the same answer, and no hash."""
    await api.make("ann")
    operator = await api.token()
    secret = (await key_of(api, operator, user_id=await program(api, operator))).secret
    await program(api, operator, "other")
    anns = (await key_of(api, await api.token("ann"))).secret
    before = api.world.hasher.evaluations
    typo = secret[:-1] + ("0" if secret[-1] != "0" else "1")
    for client_id, wrong in (
        ("other", secret),
        ("nobody", secret),
        ("ann", anns),
        ("worker", anns),
        ("worker", new_secret()),
        ("worker", typo),
        ("worker", PASSWORD),
    ):
        refused = await api.refused("Login", client_login(client_id, wrong))
        assert (refused.reason, refused.metadata) == (Reason.CREDENTIALS_INVALID, {})
    assert api.world.hasher.evaluations == before


async def test_keys_for_others_are_made_for_programs_by_operators(api: Api) -> None:
    """Not for people, and not by anybody else; operators list and revoke anyone's."""
    await api.make("ann", "eve")
    ann = await api.sign_in("ann")
    eve = await api.token("eve")
    operator = await api.token()
    user_id = await program(api, operator)
    for named in (ann.user.user_id, user_id):
        request = pb.CreateApiKeyRequest(label="x", user_id=named)
        assert await api.why("CreateApiKey", request, eve) is Reason.NOT_FOUND
        listing = pb.ListApiKeysRequest(user_id=named)
        assert await api.why("ListApiKeys", listing, eve) is Reason.NOT_FOUND
    request = pb.CreateApiKeyRequest(label="x", user_id=ann.user.user_id)
    assert await api.why("CreateApiKey", request, operator) is Reason.INVALID_ARGUMENT
    made = await key_of(api, ann.tokens.access_token)
    listing = pb.ListApiKeysRequest(user_id=ann.user.user_id)
    (listed,) = (await api.call("ListApiKeys", listing, operator)).api_keys
    assert listed.key_id == made.api_key.key_id
    revoke = pb.RevokeApiKeyRequest(key_id=listed.key_id)
    assert await api.why("RevokeApiKey", revoke, eve) is Reason.NOT_FOUND
    await api.call("RevokeApiKey", revoke, operator)
    login = key_login(made.secret)
    assert await api.why("Login", login) is Reason.CREDENTIALS_INVALID
