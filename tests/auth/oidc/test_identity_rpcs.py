"""The RPCs of identity providers: who may ask what, and what they answer."""

import uuid
from collections.abc import Iterator

import pytest

from antiphon.auth.v1 import auth_pb2
from antiphon.auth.v1 import auth_service_pb2 as pb
from antiphon_server.auth.compose.auth import auth_servicer
from antiphon_server.auth.servicer import AuthServicer
from antiphon_server.runtime.access.principal import ANONYMOUS, Principal, SessionId, set_principal
from antiphon_server.runtime.errors import Reason
from tests.auth.oidc.rig import REDIRECT, Rig
from tests.auth.world import OPERATOR, World, reason


@pytest.fixture(autouse=True)
def nobody() -> Iterator[None]:
    """Whoever called before is forgotten."""
    yield
    set_principal(ANONYMOUS)


@pytest.fixture
def servicer(rig: Rig) -> AuthServicer:
    """The service's RPCs."""
    return auth_servicer(rig.world.auth)


async def test_a_page_learns_how_to_sign_in(rig: Rig, servicer: AuthServicer) -> None:
    """The providers by name, and the methods that they add."""
    told = await servicer.ListLoginMethods(pb.ListLoginMethodsRequest(), None)
    assert [(one.name, one.issuer) for one in told.providers] == [("first", rig.issuer.issuer)]
    assert auth_pb2.LOGIN_METHOD_AUTHORIZATION_CODE in told.methods
    assert auth_pb2.LOGIN_METHOD_ID_TOKEN in told.methods


async def test_without_providers_none_of_their_methods_is_offered(world: World) -> None:
    """And no login can be begun."""
    servicer = auth_servicer(world.auth)
    told = await servicer.ListLoginMethods(pb.ListLoginMethodsRequest(), None)
    assert not told.providers
    assert auth_pb2.LOGIN_METHOD_AUTHORIZATION_CODE not in told.methods
    request = pb.StartLoginRequest(redirect_uri=REDIRECT)
    assert await reason(servicer.StartLogin(request, None)) is Reason.NOT_FOUND


async def test_a_login_by_the_rpcs(rig: Rig, servicer: AuthServicer) -> None:
    """From StartLogin to Login, as a client calls them."""
    started = await servicer.StartLogin(pb.StartLoginRequest(redirect_uri=REDIRECT), None)
    back = await rig.issuer.browse(started.authorization_url)
    request = pb.LoginRequest(device="page")
    request.authorization_code.login_id = started.login_id
    request.authorization_code.login_secret = started.login_secret
    request.authorization_code.code = back["code"]
    request.authorization_code.state = back["state"]
    request.authorization_code.issuer = back["iss"]
    answer = await servicer.Login(request, None)
    assert answer.user.name == "ann"
    assert await reason(servicer.Login(request, None)) is Reason.LOGIN_EXPIRED


async def test_one_sees_ones_own_identities(rig: Rig, servicer: AuthServicer) -> None:
    """An operator sees anybody's; others are told that there is nobody of that id."""
    ann = (await rig.whole()).user
    bob = await rig.world.user("bob")
    set_principal(Principal("user", ann.user_id, SessionId("sess_1")))
    own = await servicer.ListIdentities(pb.ListIdentitiesRequest(), None)
    assert [(one.subject, one.user_id) for one in own.identities] == [("sub-ann", ann.user_id)]
    set_principal(Principal("user", bob.user_id, SessionId("sess_2")))
    asked = pb.ListIdentitiesRequest(user_id=ann.user_id)
    assert await reason(servicer.ListIdentities(asked, None)) is Reason.NOT_FOUND
    set_principal(OPERATOR)
    assert len((await servicer.ListIdentities(asked, None)).identities) == 1


async def test_linking_and_unlinking_by_the_rpcs(rig: Rig, servicer: AuthServicer) -> None:
    """As an operator calls them; what is linked no more is not found."""
    set_principal(OPERATOR)
    bob = await rig.world.user("bob")
    linked = await servicer.LinkIdentity(
        pb.LinkIdentityRequest(user_id=bob.user_id, provider="first", subject="sub-bob"), None
    )
    assert linked.identity.issuer == rig.issuer.issuer
    unlink = pb.UnlinkIdentityRequest(issuer=linked.identity.issuer, subject="sub-bob")
    await servicer.UnlinkIdentity(unlink, None)
    assert await reason(servicer.UnlinkIdentity(unlink, None)) is Reason.NOT_FOUND


@pytest.mark.parametrize("before", [False, True], ids=["new", "linked before"])
async def test_a_repeated_link_is_no_second_one(
    rig: Rig, servicer: AuthServicer, before: bool
) -> None:
    """Who lost the answer gets it again, and links nothing that was unlinked meanwhile."""
    set_principal(OPERATOR)
    bob = await rig.world.user("bob")
    request = pb.LinkIdentityRequest(
        user_id=bob.user_id, provider="first", subject="sub-bob", request_id=str(uuid.uuid4())
    )
    if before:
        asked_before = pb.LinkIdentityRequest()
        asked_before.CopyFrom(request)
        asked_before.request_id = str(uuid.uuid4())
        await servicer.LinkIdentity(asked_before, None)
    linked = await servicer.LinkIdentity(request, None)
    assert await servicer.LinkIdentity(request, None) == linked
    unlink = pb.UnlinkIdentityRequest(issuer=linked.identity.issuer, subject="sub-bob")
    await servicer.UnlinkIdentity(unlink, None)
    assert await servicer.LinkIdentity(request, None) == linked
    asked = pb.ListIdentitiesRequest(user_id=bob.user_id)
    assert (await servicer.ListIdentities(asked, None)).identities == []
    request.subject = "sub-eve"
    assert await reason(servicer.LinkIdentity(request, None)) is Reason.REQUEST_ID_REUSED
