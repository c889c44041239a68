"""Sign-in by an identity provider: an answer of its in, a session out."""

import hmac
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager

from antiphon_server.auth.model import LoginMethod, Origin, SignedIn
from antiphon_server.auth.model.identities import (
    CodeAnswer,
    HeldToken,
    LoginFlow,
    ProviderName,
    StartedLogin,
    Vouched,
)
from antiphon_server.auth.model.security_events import SignInFailure
from antiphon_server.auth.ports.identity_providers import IdentityProvider
from antiphon_server.auth.service.identities import Identities, unknown
from antiphon_server.auth.service.login import admit
from antiphon_server.auth.service.login_flows import LoginFlows
from antiphon_server.auth.service.sessions import Sessions
from antiphon_server.auth.service.sign_ins import SignIns
from antiphon_server.runtime.access.principal import Principal, SessionId, UserId
from antiphon_server.runtime.errors import DomainError, Reason, invalid, not_found

_SELF = Principal("service", UserId("auth"), SessionId(""))

_FAILURES = {
    Reason.LOGIN_EXPIRED: SignInFailure.EXPIRED,
    Reason.LOGIN_DENIED: SignInFailure.NOT_ALLOWED,
    Reason.PROVIDER_ANSWER_INVALID: SignInFailure.UNTRUSTED,
    Reason.IDENTITY_UNKNOWN: SignInFailure.UNKNOWN,
    Reason.USER_DISABLED: SignInFailure.DISABLED,
}


class ProviderLogin:
    """Signs people in whom one of the configured providers vouches for."""

    def __init__(
        self,
        providers: Mapping[ProviderName, IdentityProvider],
        flows: LoginFlows,
        identities: Identities,
        sessions: Sessions,
        sign_ins: SignIns,
    ) -> None:
        self.providers = providers
        self._flows = flows
        self._identities = identities
        self._sessions = sessions
        self._sign_ins = sign_ins

    async def start(self, name: str, redirect_uri: str) -> StartedLogin:
        """Begin a login; an empty name means the only provider.

        Raises DomainError NOT_FOUND, INVALID_ARGUMENT, PROVIDER_UNAVAILABLE.
        """
        if not name and len(self.providers) == 1:
            name = next(iter(self.providers))
        provider = self.provider(name)
        if not provider.allows_redirect(redirect_uri):
            rule = "must be http://127.0.0.1:PORT/… or one that the server's settings name"
            raise invalid("redirect_uri", rule)
        flow, secret = self._flows.begin(ProviderName(name), redirect_uri)
        url = await provider.authorization_url(self._flows.handshake(flow))
        return StartedLogin(url, flow.login_id, secret, flow.expire_time)

    async def by_code(self, answer: CodeAnswer, device: str, address: str) -> SignedIn:
        """A session for what the browser brought back; each login is tried once.

        Raises DomainError LOGIN_EXPIRED, LOGIN_DENIED, PROVIDER_ANSWER_INVALID,
        PROVIDER_UNAVAILABLE, PROVIDER_REFUSES_CLIENT, IDENTITY_UNKNOWN, USER_DISABLED.
        """
        async with self._recorded(LoginMethod.AUTHORIZATION_CODE):
            flow = await self._flows.end(answer.login_id, answer.login_secret)
        origin = Origin(LoginMethod.AUTHORIZATION_CODE, device, address, flow.provider)
        async with self._recorded(origin.method, flow.provider):
            return await self._redeemed(flow, answer, origin)

    async def by_id_token(self, held: HeldToken, device: str, address: str) -> SignedIn:
        """A session for an ID token that a backend holds.

        Raises DomainError NOT_FOUND, PROVIDER_ANSWER_INVALID, PROVIDER_UNAVAILABLE,
        IDENTITY_UNKNOWN, USER_DISABLED.
        """
        provider = self.provider(held.provider)
        origin = Origin(LoginMethod.ID_TOKEN, device, address, provider.name)
        async with self._recorded(origin.method, provider.name):
            vouched = await provider.verify(held.id_token, held.nonce)
            return await self._sign_in(vouched, provider, origin)

    def provider(self, name: str) -> IdentityProvider:
        """The provider of that name. Raises DomainError NOT_FOUND."""
        found = self.providers.get(ProviderName(name))
        if found is None:
            raise not_found(f"identity_providers/{name}")
        return found

    async def _redeemed(self, flow: LoginFlow, answer: CodeAnswer, origin: Origin) -> SignedIn:
        handshake, provider = self._flows.handshake(flow), self.provider(flow.provider)
        if not hmac.compare_digest(answer.state.encode(), handshake.state.encode()):
            raise DomainError(Reason.PROVIDER_ANSWER_INVALID, provider=flow.provider, check="state")
        vouched = await provider.redeem(handshake, answer.code, answer.issuer)
        return await self._sign_in(vouched, provider, origin)

    async def _sign_in(self, vouched: Vouched, by: IdentityProvider, origin: Origin) -> SignedIn:
        user = await self._identities.user_of(vouched, sign_up=by.sign_up)
        admit(user)
        signed_in = await self._sessions.open(user, origin)
        # Who unlinked it meanwhile could not see this session.
        if not await self._identities.linked(vouched, user):
            await self._sessions.revoke(_SELF, signed_in.tokens.session_id)
            raise unknown(vouched)
        return signed_in

    @asynccontextmanager
    async def _recorded(
        self, method: LoginMethod, provider: ProviderName | None = None
    ) -> AsyncIterator[None]:
        """Record why nobody was signed in by what runs in the block."""
        try:
            yield
        except DomainError as error:
            if failure := _failure(error):
                await self._sign_ins.failed(method, failure, provider=provider or "")
            raise


def _failure(error: DomainError) -> SignInFailure | None:
    if error.metadata.get("check") == "replay":
        return SignInFailure.REPLAYED
    return _FAILURES.get(error.reason)
