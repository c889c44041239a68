"""What a provider may say of itself, and what is refused."""

import asyncio
from collections.abc import Callable
from pathlib import Path
from urllib.parse import parse_qsl, urlsplit

import pytest
from aiohttp import web

from antiphon_server.auth.adapters.oidc.wire import OidcWire
from antiphon_server.auth.model.identities import CodeAnswer
from antiphon_server.auth.ports.identity_providers import Unanswered
from antiphon_server.runtime.errors import Reason
from antiphon_server.runtime.http_pool import HttpPool
from tests.auth.oidc.issuer import Claims, Issuer
from tests.auth.oidc.rig import Rig, changed, open_rig, settings_for
from tests.auth.world import error, reason

WRONG: dict[str, Claims] = {
    "another issuer": {"issuer": "https://evil.example"},
    "an issuer with a slash": {"issuer": "/"},
    "no issuer": {"issuer": None},
    "no authorization endpoint": {"authorization_endpoint": None},
    "a token endpoint without https": {"token_endpoint": "http://evil.example/token"},
    "keys without https": {"jwks_uri": "http://169.254.169.254/latest/meta-data"},
    "keys in a file": {"jwks_uri": "file:///etc/passwd"},
    "a page with a user": {"authorization_endpoint": "https://a:b@evil.example/"},
    "algorithms that are none": {"id_token_signing_alg_values_supported": 7},
}


@pytest.mark.parametrize("wrong", WRONG.values(), ids=WRONG)
async def test_metadata_that_is_not_the_providers_is_refused(
    rig: Rig, issuer: Issuer, wrong: Claims
) -> None:
    """No browser is sent anywhere, no code is shown to anybody."""
    issuer.metadata = wrong
    refused = await error(rig.start())
    assert (refused.reason, refused.metadata) == (
        Reason.PROVIDER_UNAVAILABLE,
        {"provider": "first"},
    )


async def test_an_answer_of_one_provider_is_not_taken_to_another(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Mix-up (RFC 9207): the honest provider's code never reaches the attacker's endpoint."""
    clock_issuer = Issuer(lambda: 0.0)
    async with (
        Issuer(lambda: 0.0) as evil,
        open_rig(
            tmp_path,
            monkeypatch,
            issuer=clock_issuer,
            settings=lambda it: [
                settings_for(it.issuer, sign_up=True),
                settings_for(evil.issuer, "evil", sign_up=True),
            ],
        ) as rig,
    ):
        evil.clock = rig.clock
        honest = await rig.answer(await rig.start("first"))
        begun = await rig.answer(await rig.start("first"))
        started = await rig.start("evil")
        state = dict(parse_qsl(urlsplit(started.authorization_url).query))["state"]
        mixed = CodeAnswer(
            started.login_id, started.login_secret, honest.code, state, honest.issuer
        )
        refused = await error(rig.finish(mixed))
        assert refused.metadata == {"provider": "evil", "check": "issuer"}
        assert evil.forms == []
        refused = await error(rig.finish(changed(issuer=evil.issuer)(begun)))
        assert refused.metadata == {"provider": "first", "check": "issuer"}
        token = evil.signed(evil.claims() | {"iss": rig.issuer.issuer})
        assert (await error(rig.exchange(token, name="evil"))).metadata["check"] == "issuer"


async def test_a_provider_that_does_not_say_its_issuer_needs_none(rig: Rig, issuer: Issuer) -> None:
    """But one that is said has to be right."""
    issuer.says_issuer = False
    assert (await rig.whole()).user.name == "ann"
    answer = await rig.answer(await rig.start())
    wrong = changed(issuer="https://evil.example")(answer)
    assert (await error(rig.finish(wrong))).metadata["check"] == "issuer"


async def test_a_wrong_client_secret_is_the_operators_matter(
    rig: Rig, monkeypatch: pytest.MonkeyPatch, issuer: Issuer
) -> None:
    """The person is told that the provider does not work; the log says why."""
    answer = await rig.answer(await rig.start())
    monkeypatch.setenv("TEST_OIDC_SECRET", "wrong")
    assert await reason(rig.finish(answer)) is Reason.PROVIDER_UNAVAILABLE


@pytest.mark.parametrize("kind", ["redirect", "long", "slow", "text", "list", "deep", "status"])
async def test_the_wire_takes_no_other_answer_than_json(kind: str) -> None:
    """Within its time and size; redirects are not followed."""
    visited: list[str] = []

    async def answer(request: web.Request) -> web.StreamResponse:
        visited.append(request.path)
        return _ANSWERS[kind]()

    app = web.Application()
    app.router.add_get("/{any}", answer)
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    pool = HttpPool(4)
    try:
        port = runner.addresses[0][1]
        with pytest.raises(Unanswered):
            await OidcWire(pool, 0.2, 1000).get(f"http://127.0.0.1:{port}/begin")
    finally:
        await pool.close()
        await runner.cleanup()
    assert visited == ["/begin"]


class Slow(web.Response):
    """An answer that does not end in time."""

    async def write_eof(self, data: bytes = b"") -> None:
        await asyncio.sleep(0.5)
        await super().write_eof(data)


_ANSWERS: dict[str, Callable[[], web.StreamResponse]] = {
    "redirect": lambda: web.Response(status=302, headers={"Location": "/end"}, text="{}"),
    "long": lambda: web.json_response({"x": "x" * 1000}),
    "slow": lambda: Slow(text="{}"),
    "text": lambda: web.Response(text="hello"),
    "list": lambda: web.json_response([]),
    "deep": lambda: web.Response(text="[" * 900),
    "status": lambda: web.json_response({}, status=404),
}
