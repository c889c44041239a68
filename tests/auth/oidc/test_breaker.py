"""A provider that fails is left alone for a while, whatever its people do."""

import asyncio
from collections.abc import AsyncIterator, Callable
from dataclasses import replace
from pathlib import Path

import pytest
from aiohttp import web

from antiphon.auth.v1 import auth_service_pb2 as pb
from antiphon_server.auth.adapters.provider_states import ProviderHealth, ProviderMetrics
from antiphon_server.auth.compose.auth import auth_servicer
from antiphon_server.auth.model.identities import CodeAnswer
from antiphon_server.auth.settings import OF_PROVIDERS
from antiphon_server.runtime.concurrency.breaker import State
from antiphon_server.runtime.errors import DomainError, Reason
from antiphon_server.runtime.rpc.health import Health
from tests.auth.oidc.issuer import Issuer
from tests.auth.oidc.rig import Rig, changed, open_rig
from tests.auth.world import error, reason
from tests.e2e.until import until

OPEN_S = 0.5
SLOW_S = 0.1
SHORT = replace(OF_PROVIDERS, open_s=OPEN_S)

FAILURES: dict[str, Callable[[], web.Response]] = {
    "503": lambda: web.Response(status=503, text="down"),
    "500 in JSON": lambda: web.json_response({"error": "server_error"}, status=500),
    "a page": lambda: web.Response(text="<html>We are back soon.</html>", content_type="text/html"),
    "a redirect": lambda: web.Response(status=302, headers={"Location": "/sorry"}),
}
NOBODYS_FAULT: dict[str, Callable[[], web.Response]] = {
    "a firewall": lambda: web.Response(status=403, text="<html>blocked</html>"),
    "too many": lambda: web.Response(status=429, headers={"Retry-After": "17"}),
    "a refusal": lambda: web.json_response({"error": "invalid_request"}, status=400),
}


@pytest.fixture
async def quick(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Rig]:
    """The service with a provider that is left alone for less long."""
    async with open_rig(tmp_path, monkeypatch, breaker=SHORT) as opened:
        yield opened


def answers(issuer: Issuer, how: Callable[[], web.Response], *where: str) -> None:
    """Have those endpoints answer so."""

    async def answer() -> web.Response:
        return how()

    issuer.down, issuer.fails = set(where), answer


def hangs(issuer: Issuer, *where: str) -> None:
    """Have those endpoints never answer."""

    async def answer() -> web.Response:
        await asyncio.sleep(3600)
        raise AssertionError

    issuer.down, issuer.fails = set(where), answer


async def begun(rig: Rig, count: int) -> list[CodeAnswer]:
    """People who come back from the provider's page."""
    return [await rig.answer(await rig.start()) for _ in range(count)]


async def fails_five_times(rig: Rig) -> None:
    """Open the breaker, by its token endpoint."""
    people = await begun(rig, 5)
    rig.issuer.down = {"token"}
    for answer in people:
        await error(rig.finish(answer))
    assert rig.state() is State.OPEN


@pytest.mark.parametrize("how", FAILURES.values(), ids=FAILURES)
async def test_a_provider_that_fails_five_times_is_left_alone(
    rig: Rig, issuer: Issuer, how: Callable[[], web.Response]
) -> None:
    """Who comes then is told at once, and when to come again; so is who is on the way."""
    people = await begun(rig, 6)
    answers(issuer, how, "token")
    for answer in people[:5]:
        assert await reason(rig.finish(answer)) is Reason.PROVIDER_UNAVAILABLE
    for attempt in (rig.finish(people[5]), rig.start()):
        refused = await error(attempt)
        assert refused.reason is Reason.PROVIDER_UNAVAILABLE
        assert refused.metadata == {"provider": "first", "breaker": "OPEN"}
        assert refused.retry_after == pytest.approx(30, abs=5)
    assert len(issuer.forms) == 5
    told = await auth_servicer(rig.world.auth).ListLoginMethods(pb.ListLoginMethodsRequest(), None)
    assert told.providers[0].unavailable
    assert 25 < told.providers[0].retry_after.seconds <= 30


async def test_a_provider_that_hangs_is_left_alone_while_it_does(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nobody waits for the end of the calls by which that is seen."""
    limits = replace(OF_PROVIDERS, slow_s=SLOW_S)
    async with open_rig(tmp_path, monkeypatch, breaker=limits) as rig:
        people = await begun(rig, 6)
        hangs(rig.issuer, "token")
        waiting = [asyncio.create_task(rig.finish(answer)) for answer in people[:5]]
        await until(lambda: rig.state() is State.OPEN)
        assert (await error(rig.finish(people[5]))).metadata["breaker"] == "OPEN"
        assert not any(each.done() for each in waiting)
        for each in waiting:
            each.cancel()
        await asyncio.gather(*waiting, return_exceptions=True)


async def test_who_does_not_wait_says_nothing_of_others(rig: Rig, issuer: Issuer) -> None:
    """However many hang up on a provider that takes its time."""
    people = await begun(rig, 12)
    hangs(issuer, "token")
    waiting = [asyncio.create_task(rig.finish(answer)) for answer in people]
    await until(lambda: len(issuer.forms) == 12)
    for each in waiting:
        each.cancel()
    await asyncio.gather(*waiting, return_exceptions=True)
    issuer.down = set()
    assert rig.state() is State.CLOSED
    assert (await rig.whole()).user.name == "ann"


@pytest.mark.parametrize("how", NOBODYS_FAULT.values(), ids=NOBODYS_FAULT)
async def test_what_may_be_the_requests_own_fault_does_not_count(
    rig: Rig, issuer: Issuer, how: Callable[[], web.Response]
) -> None:
    """Strangers bring codes that firewalls dislike: nobody else is kept out by that."""
    people = await begun(rig, 12)
    answers(issuer, how, "token")
    for answer in people:
        refused = await error(rig.finish(answer))
        assert "breaker" not in refused.metadata
    assert refused.retry_after == (17 if how().status == 429 else 5)
    assert len(issuer.forms) == 12


@pytest.mark.parametrize(("code", "shown"), [("none", 12), ("a\x00b", 0), ("\u043a", 0)])
async def test_wrong_codes_do_not_count(rig: Rig, issuer: Issuer, code: str, shown: int) -> None:
    """Those that can't be codes are not shown to the provider."""
    for answer in await begun(rig, 12):
        refused = await error(rig.finish(changed(code=code)(answer)))
        assert refused.metadata == {"provider": "first", "check": "code"}
    assert len(issuer.forms) == shown
    assert (await rig.whole()).user.name == "ann"


async def test_a_wrong_secret_does_not_count(rig: Rig, monkeypatch: pytest.MonkeyPatch) -> None:
    """It stays what operators are told."""
    people = await begun(rig, 12)
    monkeypatch.setenv("TEST_OIDC_SECRET", "wrong")
    for answer in people:
        assert await reason(rig.finish(answer)) is Reason.PROVIDER_REFUSES_CLIENT


async def test_one_of_many_tries_whether_it_is_back(quick: Rig) -> None:
    """Its probe ends what 100 others are refused for; from then on all are let in."""
    people = await begun(quick, 101)
    quick.issuer.forms.clear()
    await fails_five_times(quick)
    await asyncio.sleep(OPEN_S)
    quick.issuer.down = set()
    assert quick.state() is State.HALF_OPEN
    ends = await asyncio.gather(*map(quick.finish, people[:100]), return_exceptions=True)
    refused = [each for each in ends if isinstance(each, DomainError)]
    assert len(refused) == 99
    assert {each.metadata["breaker"] for each in refused} == {"HALF_OPEN"}
    assert len(quick.issuer.forms) == 6
    assert quick.state() is State.CLOSED
    assert (await quick.finish(people[100])).user.name == "ann"


async def test_a_probe_that_fails_has_it_left_alone_anew(quick: Rig) -> None:
    """By one call, however many race."""
    people = await begun(quick, 20)
    await fails_five_times(quick)
    asked = len(quick.issuer.forms)
    await asyncio.sleep(OPEN_S)
    await asyncio.gather(*map(quick.finish, people), return_exceptions=True)
    assert len(quick.issuer.forms) == asked + 1
    assert (await error(quick.start())).metadata["breaker"] == "OPEN"


async def test_that_nobody_comes_back_is_seen(quick: Rig) -> None:
    """Who is sent to a provider that is away can't tell: so it is looked at, every 5 s at most."""
    await quick.whole()
    quick.issuer.down = {"discovery"}
    looks = quick.issuer.fetched["discovery"]
    for look in range(1, 6):
        quick.clock.time += 31
        await asyncio.gather(*(quick.start() for _ in range(20)))
        await quick.world.auth.base.completion.close()
        assert quick.issuer.fetched["discovery"] == looks + look
    refused = await error(quick.start())
    assert refused.metadata["breaker"] == "OPEN"


async def test_nobody_is_sent_to_a_provider_that_may_be_away_yet(quick: Rig) -> None:
    """It is looked at before, once for all who wait for that; that it is there is no proof."""
    await quick.whole()
    await fails_five_times(quick)
    await asyncio.sleep(OPEN_S)
    quick.clock.time += 31
    quick.issuer.down = {"discovery", "token"}
    looks = quick.issuer.fetched["discovery"]
    ends = await asyncio.gather(*(quick.start() for _ in range(20)), return_exceptions=True)
    assert {getattr(each, "reason", None) for each in ends} == {Reason.PROVIDER_UNAVAILABLE}
    assert quick.issuer.fetched["discovery"] == looks + 1
    assert quick.state() is State.OPEN
    await asyncio.sleep(OPEN_S)
    quick.clock.time += 31
    quick.issuer.down = set()
    answer = await quick.answer(await quick.start())
    assert quick.state() is State.HALF_OPEN
    assert (await quick.finish(answer)).user.name == "ann"
    assert quick.state() is State.CLOSED


async def test_held_tokens_need_nobody_to_be_asked(rig: Rig, issuer: Issuer) -> None:
    """A backend goes on signing in with the keys that are known."""
    await rig.whole()
    await fails_five_times(rig)
    assert (await rig.exchange(issuer.signed(issuer.claims()))).user.name == "ann"


async def test_how_it_is_stands_in_health_and_metrics(
    quick: Rig, caplog: pytest.LogCaptureFixture
) -> None:
    """The server serves on; the log has each turn."""
    health, providers = Health(), quick.login.providers
    parts, metrics = ProviderHealth(providers, health), ProviderMetrics(providers)
    await parts.tell()
    assert health.parts == {"identity_provider.first": True}
    running = asyncio.create_task(parts.run())
    await health.ready()
    await fails_five_times(quick)
    await until(lambda: health.parts == {"identity_provider.first": False})
    assert health.serving
    (states,) = metrics.collect()
    assert {one.labels["state"]: one.value for one in states.samples} == {
        "closed": 0,
        "open": 1,
        "half_open": 0,
    }
    await asyncio.sleep(OPEN_S)
    quick.issuer.down = set()
    assert (await quick.whole()).user.name == "ann"
    await until(lambda: health.parts == {"identity_provider.first": True})
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)
