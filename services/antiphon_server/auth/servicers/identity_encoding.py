"""Identities and logins at providers: between messages and the domain's types."""

from collections.abc import Mapping

from antiphon.auth.v1 import auth_pb2
from antiphon.auth.v1 import auth_service_pb2 as pb
from antiphon_server.auth.encoding import timestamp
from antiphon_server.auth.model.identities import (
    CodeAnswer,
    HeldToken,
    Identity,
    LoginId,
    ProviderName,
    StartedLogin,
)
from antiphon_server.auth.ports.identity_providers import IdentityProvider
from antiphon_server.runtime.rpc.times import duration


def code_answer(credential: pb.AuthorizationCodeCredential) -> CodeAnswer:
    """What a client brings back from a provider."""
    return CodeAnswer(
        login_id=LoginId(credential.login_id),
        login_secret=credential.login_secret,
        code=credential.code,
        state=credential.state,
        issuer=credential.issuer,
    )


def held_token(credential: pb.IdTokenCredential) -> HeldToken:
    """A token that a backend holds."""
    return HeldToken(ProviderName(credential.provider), credential.id_token, credential.nonce)


def started_login(started: StartedLogin) -> pb.StartLoginResponse:
    """What a client needs to go on."""
    return pb.StartLoginResponse(
        authorization_url=started.authorization_url,
        login_id=started.login_id,
        login_secret=started.login_secret,
        expire_time=timestamp(started.expire_time),
    )


def identity(one: Identity) -> auth_pb2.Identity:
    """An account at a provider."""
    return auth_pb2.Identity(
        provider=one.provider,
        issuer=one.issuer,
        subject=one.subject,
        user_id=one.user_id,
        create_time=timestamp(one.create_time),
        last_use_time=timestamp(one.last_use_time),
    )


def providers(known: Mapping[ProviderName, IdentityProvider]) -> list[pb.IdentityProvider]:
    """The providers one can choose from."""
    return [_provider(each) for each in known.values()]


def _provider(each: IdentityProvider) -> pb.IdentityProvider:
    told = pb.IdentityProvider(name=each.name, display_name=each.display_name, issuer=each.issuer)
    if wait_s := each.breaker.retry_after_s:
        told.unavailable = True
        told.retry_after.CopyFrom(duration(wait_s))
    return told
