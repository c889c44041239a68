"""What strangers cause at will is told when rare and counted when not."""

import asyncio
from collections.abc import Sequence
from pathlib import Path

import pytest

from antiphon_server.auth.model import security_events as happened
from antiphon_server.auth.model.chain import ALL
from antiphon_server.auth.model.origin import LoginMethod
from antiphon_server.auth.model.security_events import SecurityEvent, SignInFailure
from antiphon_server.auth.service.budget import A_MINUTE, MOST
from antiphon_server.auth.service.coalescing import MOST_AT_ONCE, Coalesced
from antiphon_server.auth.service.security_events import AUTH
from antiphon_server.runtime.errors import DomainError, Reason
from tests.auth.world import FakeClock, World, open_world, reason
from tests.e2e.until import SOON_S


class Desk:
    """A coalescer and what it told."""

    def __init__(self, most: int = 100, own: str = AUTH) -> None:
        self.clock = FakeClock()
        self.broken = False
        self.free = asyncio.Event()
        self.free.set()
        self.coalesced = Coalesced(self, self.clock, most, own)
        self.told: list[SecurityEvent] = []
        self.tried: list[tuple[str, Sequence[SecurityEvent]]] = []

    async def record(self, *events: SecurityEvent, key: str = "") -> None:
        """See :meth:`SecurityEvents.record`."""
        self.tried.append((key, events))
        await self.free.wait()
        if self.broken:
            raise DomainError(Reason.STORE_UNAVAILABLE)
        self.told.extend(events)

    def counts(self) -> list[int]:
        """The counts of what was told."""
        return [event.detail.count for event in self.told]  # type: ignore[union-attr]


def failed(
    name: str = "n", user_id: str = "", address: str = "192.0.2.1", actor: str | None = None
) -> SecurityEvent:
    """A failed sign-in."""
    detail = happened.SignInFailed(LoginMethod.PASSWORD, SignInFailure.WRONG_SECRET, name_hash=name)
    return SecurityEvent(detail, user_id, actor, address=address)


async def test_the_first_are_told_at_once_and_the_rest_counted() -> None:
    """One event at the minute's end stands for all that came after the burst."""
    desk = Desk()
    for _ in range(1_000):
        await desk.coalesced.record("sort", failed(), burst=3)
    assert desk.counts() == [1, 1, 1]
    await desk.coalesced.flush()
    assert len(desk.told) == 3
    desk.clock.time += 60
    await desk.coalesced.flush()
    assert desk.counts() == [1, 1, 1, 997]
    await desk.coalesced.record("sort", failed(), burst=3)
    assert desk.counts() == [1, 1, 1, 997, 1]


async def test_what_nobody_called_for_is_the_doing_of_the_service_at_hand() -> None:
    """A process without the auth service does not pass for it."""
    desk = Desk(own="services/events")
    await desk.coalesced.record("sort", failed())
    assert [event.actor for event in desk.told] == ["services/events"]


async def test_what_they_do_not_share_is_left_out() -> None:
    """An event for many names names none."""
    desk = Desk()
    for name in ("a", "b", "c"):
        await desk.coalesced.record("sort", failed(name, f"user_{name}"))
    await desk.coalesced.flush(all_of_it=True)
    last = desk.told[-1]
    assert isinstance(last.detail, happened.SignInFailed)
    assert (last.detail.name_hash, last.user_id, last.detail.count) == ("", "", 2)


async def test_what_nobody_waits_for_is_told_in_a_moment() -> None:
    """The first by the next tick, the others at the minute's end."""
    desk = Desk()
    running = asyncio.create_task(desk.coalesced.run())
    for _ in range(50):
        desk.coalesced.record_soon("sort", failed())
    async with asyncio.timeout(SOON_S):
        while not desk.told:  # noqa: ASYNC110
            await asyncio.sleep(0.01)
    desk.coalesced.record_soon("sort", failed())
    desk.clock.time += 60
    async with asyncio.timeout(SOON_S):
        while len(desk.told) < 2:  # noqa: ASYNC110
            await asyncio.sleep(0.01)
    assert sum(desk.counts()) == 51
    running.cancel()
    await asyncio.wait([running])


async def test_memory_and_store_are_bounded_under_a_flood() -> None:
    """Of 10,000 callers so many are told apart as are allowed; the others are one, counted."""
    desk = Desk(most=100)
    for number in range(10_000):
        desk.coalesced.record_soon(number, failed(address=f"192.0.{number}"))
    assert len(desk.coalesced) <= 101
    await desk.coalesced.flush(all_of_it=True)
    assert len(desk.told) == 101
    assert sum(desk.counts()) == 10_000
    assert {event.address for event in desk.told if event.actor == "others"} == {"others"}


@pytest.mark.parametrize("burst", [0, 10])
async def test_strangers_fill_no_store_from_any_number_of_addresses(burst: int) -> None:
    """All are counted; of a flood little more is written than one event a minute.

    What users do is told as ever, and so are strangers when the flood has been over for long.
    """
    desk, minutes, a_minute = Desk(most=10_000), 10, 400
    for number in range(minutes * a_minute):
        event = failed(address=f"2001:db8:{number:x}::/64", actor="anonymous")
        if burst:
            await desk.coalesced.record(number, event, burst)
        else:
            desk.coalesced.record_soon(number, event)
        if number % a_minute == a_minute - 1:
            desk.clock.time += 60
            await desk.coalesced.flush()
    await desk.coalesced.flush(all_of_it=True)
    assert sum(desk.counts()) == minutes * a_minute
    assert MOST <= len(desk.told) <= MOST + minutes * (A_MINUTE + burst + 2)
    await desk.coalesced.record("user", failed(actor="users/user_ann"))
    assert desk.told[-1].actor == "users/user_ann"
    desk.clock.time += 60 * MOST
    await desk.coalesced.record("stranger", failed(actor="anonymous"))
    assert desk.told[-1].actor == "anonymous"


async def test_nothing_is_lost_while_the_store_refuses() -> None:
    """What could not be stored is held, and what comes meanwhile, too.

    It is offered as it was: a store that took it, and whose answer got lost, knows it again.
    """
    desk = Desk()
    desk.coalesced.record_soon("sort", failed())
    desk.broken = True
    await desk.coalesced.flush()
    desk.coalesced.record_soon("sort", failed())
    desk.broken = False
    desk.clock.time += 60
    await desk.coalesced.flush(all_of_it=True)
    assert desk.counts() == [1, 1]
    refused, again, after = desk.tried
    assert refused == again
    assert again[0] != after[0]


async def test_what_is_on_its_way_when_a_server_ends_is_told_again() -> None:
    """Nobody knows whether it arrived, so it is offered as it was."""
    desk = Desk()
    desk.free.clear()
    desk.coalesced.record_soon("sort", failed())
    telling = asyncio.create_task(desk.coalesced.flush())
    while not desk.tried:  # noqa: ASYNC110
        await asyncio.sleep(0)
    telling.cancel()
    await asyncio.wait([telling])
    desk.free.set()
    await desk.coalesced.flush(all_of_it=True)
    assert desk.counts() == [1]
    cut, again = desk.tried
    assert cut == again


async def test_a_store_that_refuses_does_not_keep_a_server_from_ending() -> None:
    """However much is held: it is offered once, and held on."""
    desk = Desk(most=10_000)
    for number in range(3 * MOST_AT_ONCE):
        desk.coalesced.record_soon(number, failed(address=f"192.0.{number}"))
    desk.broken = True
    await desk.coalesced.flush(all_of_it=True)
    desk.broken = False
    await desk.coalesced.flush(all_of_it=True)
    assert desk.counts() == [1] * 3 * MOST_AT_ONCE


async def test_what_fails_to_end_keeps_nothing_else_open(tmp_path: Path) -> None:
    """The threads end, though an alarm can't be recorded."""
    world = await open_world(tmp_path)
    used = (await world.newcomer()).tokens.refresh_token
    for _ in range(2):
        newest = await world.refresh(used)
    await world.refresh(newest.refresh_token)
    await reason(world.refresh(used))
    await world.database.close()
    assert await reason(world.auth.close()) is Reason.STORE_UNAVAILABLE
    with pytest.raises(RuntimeError, match="shutdown"):
        await world.hasher.hash(b"password")


async def test_a_servers_end_tells_what_is_held(world: World) -> None:
    """Closing flushes the counts."""
    for _ in range(12):
        assert await reason(world.login_by_key("antk_x", "test")) is Reason.CREDENTIALS_INVALID
    await world.restart()
    events = await world.stores.security_events.after(0, ALL, 100)
    kinds = [event.kind for event in events]
    assert kinds.count(21) == 1
    assert b"antk_x" not in b"".join(event.body for event in events)


@pytest.mark.parametrize("burst", [1, 5])
async def test_a_quiet_sort_is_forgotten(burst: int) -> None:
    """After its minute it costs no memory."""
    desk = Desk()
    for number in range(50):
        await desk.coalesced.record(number, failed(), burst)
    desk.clock.time += 61
    await desk.coalesced.flush()
    assert len(desk.coalesced) == 0


async def test_what_was_held_ahead_of_time_is_told_when_the_clock_is_put_right() -> None:
    """An hour ahead and back: nothing waits for that hour, and the next minute is a new one."""
    desk = Desk()
    desk.clock.time += 3_600
    for _ in range(5):
        await desk.coalesced.record("sort", failed())
    desk.clock.time -= 3_600
    await desk.coalesced.flush()
    assert desk.counts() == [1, 4]
    assert len(desk.coalesced) == 0
    await desk.coalesced.record("sort", failed())
    assert desk.counts() == [1, 4, 1]


async def test_a_sort_told_ahead_of_time_is_told_anew() -> None:
    """Its minute is over when the clock is put right, without a flush."""
    desk = Desk()
    desk.clock.time += 3_600
    await desk.coalesced.record("sort", failed())
    desk.clock.time -= 3_600
    await desk.coalesced.record("sort", failed())
    assert desk.counts() == [1, 1]
