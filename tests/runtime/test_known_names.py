"""What people are called is remembered, and forgotten when it changes."""

from prometheus_client import CollectorRegistry, generate_latest

from antiphon_server.runtime.access.principal import UserId
from antiphon_server.runtime.cache.cache import ALONE_S, MemoryCache
from antiphon_server.runtime.cache.known_names import LONGEST_S, KnownNames

ANN, BOB = UserId("user_ann00000"), UserId("user_bob00000")


async def test_names_are_known_until_they_change() -> None:
    """Who is missing is told, and may be kept by the lease, unless somebody changed it since."""
    names = KnownNames(MemoryCache())
    first = await names.of([ANN, BOB])
    assert (first.names, first.missing) == ({}, [ANN, BOB])
    await names.keep({ANN: "Ann", BOB: ""}, 60.0, first.lease)
    assert (await names.of([ANN, BOB])).names == {ANN: "Ann", BOB: ""}
    await names.forget(ANN)
    second = await names.of([ANN, BOB])
    assert (second.names, second.missing) == ({BOB: ""}, [ANN])
    await names.forget(ANN)
    await names.keep({ANN: "Ann"}, 60.0, second.lease)
    assert (await names.of([ANN])).missing == [ANN]


async def test_what_may_not_be_kept_is_not() -> None:
    """Names of a service that says nothing of how long; nor is what is no text one."""
    cache = MemoryCache()
    names = KnownNames(cache)
    await names.keep({ANN: "Ann"}, 0.0, (await names.of([ANN])).lease)
    lease = (await names.of([ANN])).lease
    await cache.set({f"name:{ANN}": b"\xff"}, 60.0, lease)
    assert (await names.of([ANN])).missing == [ANN]


def test_they_last_as_long_as_changes_are_heard_of() -> None:
    """Five minutes at most; a second where other processes can't be told."""
    assert KnownNames(MemoryCache()).lasts_s == LONGEST_S == 300.0
    assert KnownNames(MemoryCache(longest_s=ALONE_S)).lasts_s == ALONE_S


async def test_none_lasts_longer_than_five_minutes() -> None:
    """Whatever was said of how long: what nobody hears of makes none wrong for longer."""
    now = 0.0
    names = KnownNames(MemoryCache(clock=lambda: now))
    await names.keep({ANN: "Ann"}, 3600.0, (await names.of([ANN])).lease)
    now = 299.0
    assert (await names.of([ANN])).names == {ANN: "Ann"}
    now = 300.0
    assert (await names.of([ANN])).missing == [ANN]


async def test_hits_and_misses_are_counted() -> None:
    """By name, not by question; both are there from the start."""
    names, registry = KnownNames(MemoryCache()), CollectorRegistry()
    registry.register(names)
    await names.keep({ANN: "Ann"}, 60.0, (await names.of([ANN])).lease)
    await names.of([ANN, BOB])
    text = generate_latest(registry).decode()
    assert 'antiphon_names_looked_up_total{result="hit"} 1.0' in text
    assert 'antiphon_names_looked_up_total{result="miss"} 2.0' in text
