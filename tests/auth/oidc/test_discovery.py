"""What a provider may say of itself, and what is refused."""

import asyncio
from collections.abc import Callable
from pathlib import Path
from urllib.parse import parse_qsl, urlsplit

import pytest
from aiohttp import web

from antiphon_server.auth.adapters.oidc import OidcPools, OidcWire
from antiphon_server.auth.model.identities import CodeAnswer
from antiphon_server.auth.ports.identity_providers import Unanswered
from antiphon_server.auth.service.provider_metadata import read_metadata
from antiphon_server.runtime.errors import Reason
from antiphon_server.runtime.net.egress.dialling import Dialler
from antiphon_server.runtime.net.egress.policy import EgressPolicy
from antiphon_server.runtime.net.http_pool import HttpPool
from tests.auth.oidc.issuer import Claims, Issuer
from tests.auth.oidc.rig import Rig, changed, open_rig, settings_for
from tests.auth.world import error

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
    rig: Rig,
    monkeypatch: pytest.MonkeyPatch,
    issuer: Issuer,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """Nobody is told to wait; the log has endpoint, status and error, and what to look at."""
    answer = await rig.answer(await rig.start())
    monkeypatch.setenv("TEST_OIDC_SECRET", "wrong")
    refused = await error(rig.finish(answer))
    assert (refused.reason, refused.retry_after) == (Reason.PROVIDER_REFUSES_CLIENT, None)
    assert refused.metadata == {"provider": "first", "error": "invalid_client"}
    where = urlsplit(issuer.base).netloc
    told = f"first does not do its part: {where}/token: HTTP status 401, error 'invalid_client'"
    assert told in caplog.text
    assert "client_secret_env" in caplog.text


async def test_why_a_provider_fails_is_in_the_log(
    rig: Rig, issuer: Issuer, caplog: pytest.LogCaptureFixture
) -> None:
    """What it publishes and its token endpoint: where, and how."""
    where = urlsplit(issuer.base).netloc
    issuer.down = {"discovery"}
    await error(rig.start())
    assert f"{where}/.well-known/openid-configuration: HTTP status 503" in caplog.text
    rig.clock.time += 10
    issuer.down = {"token"}
    await error(rig.whole())
    assert f"{where}/token: HTTP status 503" in caplog.text


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "[::ffff:127.0.0.1]", "127.1"])
async def test_a_provider_can_not_have_this_network_asked(issuer: Issuer, host: str) -> None:
    """Neither by address nor by a name that leads there."""
    port = urlsplit(issuer.base).port
    keys, pool = f"http://{host}:{port}/keys", HttpPool(1, Dialler(EgressPolicy()))
    try:
        with pytest.raises(Unanswered):
            await OidcWire(pool).get(keys)
    finally:
        await pool.close()
    assert issuer.fetched["keys"] == 0


async def test_who_may_be_asked_in_private_networks(rig: Rig) -> None:
    """The provider whose issuer is there by its address, or that the operator says is there."""
    pools = OidcPools(1)
    there = [
        settings_for("http://127.0.0.1:1"),
        settings_for("http://localhost:1"),
        settings_for("https://10.1.2.3"),
        settings_for("https://idp.example", private_network=True),
    ]
    assert len({pools.of(each) for each in there}) == 1
    elsewhere = [settings_for("https://idp.example"), settings_for("https://169.254.169.254")]
    assert {pools.of(each) for each in elsewhere}.isdisjoint(map(pools.of, there))


@pytest.mark.parametrize("name", ["authorization_endpoint", "token_endpoint", "jwks_uri"])
def test_a_provider_on_the_web_has_its_endpoints_there(name: str) -> None:
    """With https: http on this machine is for providers on this machine."""
    named = dict.fromkeys(("authorization_endpoint", "token_endpoint", "jwks_uri"), "https://a.b/")
    document = {"issuer": "https://a.b", **named}
    assert read_metadata(document, "https://a.b").issuer == "https://a.b"
    with pytest.raises(Unanswered):
        read_metadata(document | {name: "http://127.0.0.1:7451/"}, "https://a.b")


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
