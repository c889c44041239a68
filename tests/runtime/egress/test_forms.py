"""No form of an address gets a packet through, whichever transport is asked."""

import itertools

import aiohttp
import pytest

from antiphon_server.runtime.errors.domain_error import DomainError, Reason
from antiphon_server.runtime.net.egress.dialling import Dialler, grpc_target
from antiphon_server.runtime.net.egress.httpx2_transport import GuardedTransport
from antiphon_server.runtime.net.egress.names import place_of
from antiphon_server.runtime.net.egress.policy import EgressPolicy
from antiphon_server.runtime.net.egress.requests import asked
from antiphon_server.runtime.net.http_pool import HttpPool
from tests.runtime.egress.forms import ADDRESSES, ALL
from tests.runtime.egress.places import LOOPBACK, PUBLIC, Names, canary

NAMES = Names(tools_example=[[LOOPBACK]])


def _host(form: str) -> str:
    return form.strip("[]") if ":" in form else form


def test_there_are_enough_of_them() -> None:
    """Eighty at least, each once."""
    assert len(set(ALL)) == len(ALL) >= 80


async def test_by_aiohttp_with_its_own_reading_of_urls() -> None:
    """Neither requests nor WebSockets: what yarl makes of a form is refused by the connector."""
    pool = HttpPool(8, Dialler(EgressPolicy(), NAMES))
    async with canary() as found:
        session = await pool.session()
        for form in ALL:
            for call in (session.get, session.ws_connect):
                with pytest.raises((DomainError, aiohttp.ClientError, ValueError)):
                    async with call(f"http://{form}:{found.port}/"):
                        pass
        await pool.close()
    assert found.visits == 0


async def test_by_guarded_requests() -> None:
    """The reason is always the same one."""
    pool = HttpPool(8, Dialler(EgressPolicy(), NAMES))
    async with canary() as found:
        for form in ALL:
            with pytest.raises(DomainError) as refused:
                async with asked(await pool.session(), "GET", f"http://{form}:{found.port}/"):
                    pass
            assert refused.value.reason is Reason.EGRESS_DENIED, form
        await pool.close()
    assert found.visits == 0


async def test_by_httpx2() -> None:
    """What it can read at all is refused by the transport."""
    import httpx2

    guarded = GuardedTransport(Dialler(EgressPolicy(), NAMES))
    async with canary() as found, httpx2.AsyncClient(transport=guarded) as client:
        for form in ALL:
            with pytest.raises((DomainError, httpx2.InvalidURL, httpx2.LocalProtocolError)):
                await client.get(f"http://{form}:{found.port}/")
    assert found.visits == 0


async def test_by_a_dialler() -> None:
    """What gRPC and others are to dial is checked before they know it, names' addresses too."""
    for form in ALL:
        with pytest.raises(DomainError):
            await Dialler(EgressPolicy(), NAMES).connect(_host(form), 1)
    for form in itertools.chain(*ADDRESSES.values()):
        names = Names(evil_example=[[PUBLIC, form.strip("[]")]])
        with pytest.raises(DomainError):
            await Dialler(EgressPolicy(), names).vetted("evil.example", 1)
    with pytest.raises(DomainError):
        await Dialler(EgressPolicy(), Names(evil_example=[["fe80::1%eth0"]])).vetted(
            "evil.example", 1
        )


async def test_an_answer_that_changes_is_not_asked_for_twice() -> None:
    """Public at the first look and private at the second: the first is what is connected to."""
    names = Names(evil_example=[[PUBLIC], [LOOPBACK]])
    async with canary() as found:
        dialler = Dialler(EgressPolicy(), names)
        assert await dialler.vetted("evil.example", found.port) == [PUBLIC]
        assert names.asked == 1
        with pytest.raises(DomainError):
            await dialler.vetted("evil.example", found.port)
        for _ in range(3):
            with pytest.raises((DomainError, OSError, TimeoutError)):
                await dialler.connect("evil.example", found.port, timeout=0.2)
    assert found.visits == 0


@pytest.mark.parametrize("answers", [[PUBLIC, LOOPBACK], [LOOPBACK, PUBLIC], [PUBLIC, "::1"]])
async def test_one_bad_address_refuses_the_name(answers: list[str]) -> None:
    """Mixed answers are no accident."""
    pool = HttpPool(1, Dialler(EgressPolicy(), Names(evil_example=[answers])))
    async with canary() as found:
        session = await pool.session()
        with pytest.raises(DomainError, match="EGRESS_DENIED"):
            await session.get(f"http://evil.example:{found.port}/")
        await pool.close()
    assert found.visits == 0


def test_places() -> None:
    """What is well written is read, and the port is the scheme's."""
    assert place_of("https://Tools.Example/x?y").host == "tools.example"
    assert place_of("wss://[2606:4700::1111]").port == 443
    assert place_of("http://8.8.8.8:81/@").port == 81
    for url in (
        "file:///etc/passwd",
        "gopher://x/",
        "http:/x",
        "http://x:0/",
        "http://x:65536",
        "//x",
    ):
        with pytest.raises(DomainError):
            place_of(url)


def test_what_grpc_dials() -> None:
    """The address; TLS and the server see the host."""
    target, options = grpc_target("tools.example", 443, [PUBLIC])
    assert target == f"ipv4:{PUBLIC}:443"
    assert ("grpc.default_authority", "tools.example:443") in options
    assert grpc_target("x.example", 1, ["2606::1"])[0] == "ipv6:[2606::1]:1"
