"""The code flow and the exchange of an ID token at a real provider, the package oidc-provider-mock.

It knows nothing of PKCE, nor of `iss` in the redirect; `issuer.py` beside this does.
"""

import asyncio
import time
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from urllib.parse import parse_qsl, urlencode, urlsplit

import aiohttp
import pytest

from antiphon_server.auth.model import LoginMethod
from antiphon_server.auth.model.identities import CodeAnswer, HeldToken, ProviderName
from antiphon_server.auth.settings import OF_PROVIDERS
from antiphon_server.runtime.concurrency.breaker import State
from antiphon_server.runtime.errors import Reason
from tests.auth.oidc.issuer import CLIENT
from tests.auth.oidc.rig import REDIRECT, settings_for
from tests.auth.world import World, error, open_world, reason
from tests.e2e.until import until
from tests.fakes.oidc_provider import provided
from tests.fakes.proxy import Proxy

ADDRESS = "192.0.2.1"


@dataclass(frozen=True, slots=True)
class Tried:
    """The service, and where its provider is."""

    world: World
    url: str


@pytest.fixture(scope="module")
def provider() -> Iterator[str]:
    """A provider in a process' own thread, on a free port, with one user."""
    with provided() as url:
        yield url


@pytest.fixture
async def tried(
    provider: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[Tried]:
    """The service with that provider, by the system's clock."""
    monkeypatch.setenv("TEST_OIDC_SECRET", "secret")
    world = await open_world(
        tmp_path,
        clock=time.time,  # type: ignore[arg-type]
        identity_providers=[settings_for(provider, sign_up=True)],
    )
    yield Tried(world, provider)
    await world.close()


async def test_a_provider_that_goes_away_and_comes_back(
    provider: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is silent for five people, then left alone; the first who comes later shows it is back."""
    monkeypatch.setenv("TEST_OIDC_SECRET", "secret")
    limits = replace(OF_PROVIDERS, slow_s=1.0, open_s=0.3)  # a busy machine is not slow
    async with Proxy(urlsplit(provider).port or 0) as proxy:
        world = await open_world(
            tmp_path,
            clock=time.time,  # type: ignore[arg-type]
            identity_providers=[settings_for(f"http://localhost:{proxy.port}", sign_up=True)],
            provider_breaker=limits,
        )
        login = world.signing_in.provider_login
        breaker = login.provider("first").breaker

        async def back() -> CodeAnswer:
            started = await login.start("", REDIRECT)
            at_page = await press(started.authorization_url, sub="ann")
            came = at_page["code"], at_page["state"]
            return CodeAnswer(started.login_id, started.login_secret, *came, "")

        await login.by_code(await back(), "test", ADDRESS)
        people = [await back() for _ in range(7)]
        proxy.stall()
        waiting = [asyncio.create_task(login.by_code(each, "test", ADDRESS)) for each in people[:5]]
        await until(lambda: breaker.state is State.OPEN)
        refused = await error(login.by_code(people[5], "test", ADDRESS))
        assert (refused.reason, refused.metadata["breaker"]) == (
            Reason.PROVIDER_UNAVAILABLE,
            "OPEN",
        )
        proxy.cut()
        proxy.flow()
        await asyncio.gather(*waiting, return_exceptions=True)
        await until(lambda: breaker.state is State.HALF_OPEN)
        assert (await login.by_code(people[6], "test", ADDRESS)).user.name == "ann"
        assert breaker.state is State.CLOSED
        await world.close()


async def press(url: str, **form: str) -> dict[str, str]:
    """Press a button on the provider's page: what the redirect carries."""
    async with (
        aiohttp.ClientSession() as browser,
        browser.post(url, data=form, allow_redirects=False) as response,
    ):
        return dict(parse_qsl(urlsplit(response.headers["Location"]).query))


async def test_a_person_signs_in_by_a_browser(tried: Tried) -> None:
    """From the start of the login to the session, and again to the same account."""
    login = tried.world.signing_in.provider_login
    users = []
    for _ in range(2):
        started = await login.start("", REDIRECT)
        back = await press(started.authorization_url, sub="ann")
        answer = CodeAnswer(started.login_id, started.login_secret, back["code"], back["state"], "")
        signed_in = await login.by_code(answer, "test", ADDRESS)
        users.append(signed_in.user)
        assert await reason(login.by_code(answer, "test", ADDRESS)) is Reason.LOGIN_EXPIRED
    assert users[0] == users[1]
    assert users[0].name == "ann"


async def test_who_refuses_there_is_sent_back_with_an_error(tried: Tried) -> None:
    """There is no code to bring then."""
    started = await tried.world.signing_in.provider_login.start("first", REDIRECT)
    back = await press(started.authorization_url, action="deny")
    assert back["error"] == "access_denied"
    assert "code" not in back


async def test_a_backend_brings_the_token_that_it_holds(tried: Tried) -> None:
    """It did the flow itself, with the same client."""
    asked = {
        "response_type": "code",
        "client_id": CLIENT,
        "redirect_uri": REDIRECT,
        "scope": "openid email",
        "nonce": "the backend's own",
    }
    back = await press(f"{tried.url}/oauth2/authorize?{urlencode(asked)}", sub="ann")
    form = {"grant_type": "authorization_code", "code": back["code"], "redirect_uri": REDIRECT}
    async with (
        aiohttp.ClientSession() as backend,
        backend.post(
            f"{tried.url}/oauth2/token", data=form, auth=aiohttp.BasicAuth(CLIENT, "secret")
        ) as response,
    ):
        token = (await response.json())["id_token"]
    held = HeldToken(ProviderName("first"), token, "the backend's own")
    signed_in = await tried.world.signing_in.provider_login.by_id_token(held, "test", ADDRESS)
    session = await tried.world.stores.sessions.get(signed_in.tokens.session_id)
    assert session is not None
    assert session.method is LoginMethod.ID_TOKEN
