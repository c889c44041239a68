"""The auth service with identity providers, as its tests use it."""

import contextlib
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest

from antiphon_server.auth.model import SignedIn, User
from antiphon_server.auth.model.identities import CodeAnswer, HeldToken, ProviderName, StartedLogin
from antiphon_server.auth.model.identity_providers import IdentityProviderSettings
from antiphon_server.auth.service.provider_login import ProviderLogin
from antiphon_server.auth.settings import OF_PROVIDERS
from antiphon_server.runtime.concurrency.breaker import Limits, State
from antiphon_server.runtime.configuration import configured
from tests.auth.oidc.issuer import CLIENT, SECRET, Issuer
from tests.auth.world import FakeClock, World, open_world

REDIRECT = "http://127.0.0.1:4711/callback"
SECRET_VARIABLE = "TEST_OIDC_SECRET"


def settings_for(issuer: str, name: str = "first", **more: Any) -> IdentityProviderSettings:
    """Settings of a confidential client."""
    values = {"name": name, "issuer": issuer, "client_id": CLIENT}
    values |= {"client_secret_env": SECRET_VARIABLE, **more}
    return configured(values, IdentityProviderSettings)


@dataclass(slots=True)
class Rig:
    """The service, its clock, its provider, and the login that everybody tries."""

    world: World
    issuer: Issuer

    @property
    def clock(self) -> FakeClock:
        """Where time stands."""
        return self.world.clock

    @property
    def login(self) -> ProviderLogin:
        """What is tried."""
        return self.world.signing_in.provider_login

    def state(self) -> State:
        """That of the first provider's breaker."""
        return self.login.provider("first").breaker.state

    async def start(self, name: str = "first", redirect_uri: str = REDIRECT) -> StartedLogin:
        """Begin a login."""
        return await self.login.start(name, redirect_uri)

    async def answer(self, started: StartedLogin) -> CodeAnswer:
        """What an honest client brings back of it."""
        back = await self.issuer.browse(started.authorization_url)
        return CodeAnswer(
            started.login_id,
            started.login_secret,
            back["code"],
            back["state"],
            back.get("iss", ""),
        )

    async def whole(self) -> SignedIn:
        """Sign in, from the start to the session."""
        return await self.finish(await self.answer(await self.start()))

    async def finish(self, answer: CodeAnswer) -> SignedIn:
        """Bring an answer."""
        return await self.login.by_code(answer, "test", "192.0.2.1")

    async def exchange(self, token: str, nonce: str = "", name: str = "first") -> SignedIn:
        """Bring an ID token."""
        return await self.login.by_id_token(
            HeldToken(ProviderName(name), token, nonce), "test", "192.0.2.1"
        )

    async def link(self, user: User, subject: str = "sub-ann") -> None:
        """Let the provider's subject sign a user in."""
        provider = self.login.provider(ProviderName("first"))
        await self.world.signing_in.identity_links.link(user.user_id, provider, "", subject)


@contextlib.asynccontextmanager
async def open_rig(
    data_dir: Path,
    monkeypatch: pytest.MonkeyPatch,
    *,
    issuer: Issuer | None = None,
    settings: Callable[[Issuer], list[IdentityProviderSettings]] | None = None,
    breaker: Limits = OF_PROVIDERS,
    **more: Any,
) -> AsyncIterator[Rig]:
    """The service with one provider, ``sign_up`` on, or with the providers of ``settings``."""
    monkeypatch.setenv(SECRET_VARIABLE, SECRET)
    clock = FakeClock()
    issuer = issuer or Issuer(clock)
    issuer.clock = clock
    async with issuer:
        chosen = settings or (lambda it: [settings_for(it.issuer, **{"sign_up": True, **more})])
        providers = chosen(issuer)
        world = await open_world(
            data_dir, clock=clock, identity_providers=providers, provider_breaker=breaker
        )
        try:
            yield Rig(world, issuer)
        finally:
            await world.close()


def changed(**fields: Any) -> Callable[[CodeAnswer], CodeAnswer]:
    """An answer with other values."""
    return lambda answer: replace(answer, **fields)
