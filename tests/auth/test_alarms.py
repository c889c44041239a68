"""Alarms are raised at their thresholds, once, in bounded memory."""

import logging
from typing import Any

import pytest

from antiphon_server.auth.adapters.server_secret import MasterSecret
from antiphon_server.auth.audit_encoding import sealed
from antiphon_server.auth.model import security_events as happened
from antiphon_server.auth.model.origin import LoginMethod
from antiphon_server.auth.model.security_events import AlarmKind, SecurityEvent
from antiphon_server.auth.service.alarms import Alarms, AlarmSettings
from antiphon_server.auth.service.security_events import SecurityEventLog
from antiphon_server.auth.service.windows import Windows
from antiphon_server.runtime.errors import Reason
from tests.auth.world import World

SETTINGS = AlarmSettings(
    failures_from_address=4, failures_on_name=3, refusals_of_actor=5, window_s=60
)


class Tower:
    """Alarms on a log of events, and those that were raised."""

    def __init__(self, world: World) -> None:
        self.clock, secret = world.clock, MasterSecret(b"s" * 32)
        self.log = SecurityEventLog(world.stores.security_events, sealed, secret, self.clock)
        self.alarms = Alarms(self.log, SETTINGS, self.clock)
        self.raised: list[happened.AlarmRaised] = []
        self.log.on_event(self.alarms.on_event)
        self.log.on_event(self._note)

    def _note(self, event: SecurityEvent, _sealed: object) -> None:
        if isinstance(event.detail, happened.AlarmRaised):
            self.raised.append(event.detail)

    async def see(self, detail: Any, user_id: str = "", **event: str) -> list[happened.AlarmRaised]:
        """What was raised since the last look, after this event."""
        before = len(self.raised)
        await self.log.record(SecurityEvent(detail, user_id, **event))
        await self.alarms.flush()
        return self.raised[before:]


@pytest.fixture
def tower(world: World) -> Tower:
    """Alarms beside a service that nobody calls."""
    return Tower(world)


def failed(name: str = "", count: int = 1) -> happened.SignInFailed:
    """A wrong password."""
    failure = happened.SignInFailure.WRONG_SECRET
    return happened.SignInFailed(LoginMethod.PASSWORD, failure, name_hash=name, count=count)


async def test_failures_from_an_address(tower: Tower, caplog: pytest.LogCaptureFixture) -> None:
    """The fourth within the minute raises it, also if it is another sort of failure."""
    for number in range(3):
        assert await tower.see(failed(f"name{number}"), address="192.0.2.1") == []
    refused = happened.SignInsRefused(LoginMethod.PASSWORD, "name4")
    with caplog.at_level(logging.WARNING):
        raised = await tower.see(refused, address="192.0.2.1")
    kind = AlarmKind.FAILURES_FROM_ADDRESS
    assert raised == [happened.AlarmRaised(kind, "192.0.2.1", 4, 60_000)]
    assert "alarm: failures_from_address of 192.0.2.1, 4 times" in caplog.text


async def test_failures_on_a_name(tower: Tower) -> None:
    """From any addresses; an account that is known is named by its id."""
    for number in range(2):
        assert await tower.see(failed("abc"), address=f"192.0.2.{number}") == []
    (alarm,) = await tower.see(failed("abc"), address="192.0.2.9")
    assert (alarm.kind, alarm.subject) == (AlarmKind.FAILURES_ON_NAME, "abc")
    for number in range(2):
        assert await tower.see(failed("def"), "user_ann", address=f"192.0.3.{number}") == []
    (alarm,) = await tower.see(failed("def"), "user_ann", address="192.0.3.9")
    assert alarm.subject == "users/user_ann"


async def test_one_event_may_stand_for_many(tower: Tower) -> None:
    """The count of an event counts, not the events."""
    (alarm,) = await tower.see(failed(count=1_000_000), address="192.0.2.1")
    assert (alarm.kind, alarm.count) == (AlarmKind.FAILURES_FROM_ADDRESS, 1_000_000)


async def test_refusals_of_an_actor(tower: Tower) -> None:
    """The fifth raises it, whatever was refused; of another actor nothing is counted."""

    def refused(rpc: str) -> happened.AccessRefused:
        return happened.AccessRefused(rpc, 4, "", Reason.NOT_FOUND)

    for number in range(4):
        assert await tower.see(refused(f"/a/{number}"), actor="users/eve") == []
        assert await tower.see(refused(f"/a/{number}"), actor="users/bob") == []
    (alarm,) = await tower.see(refused("/a/5"), actor="users/eve")
    assert (alarm.kind, alarm.subject) == (AlarmKind.REFUSALS_OF_ACTOR, "users/eve")


async def test_the_window_slides(tower: Tower) -> None:
    """What is older than the window does not count; it is the last minute, not a minute."""
    for pause in (0, 50, 11):
        tower.clock.time += pause
        assert await tower.see(failed(), address="192.0.2.1") == []
    tower.clock.time += 48.9
    assert await tower.see(failed(), address="192.0.2.1") == []
    tower.clock.time += 1
    (alarm,) = await tower.see(failed(count=2), address="192.0.2.1")
    assert alarm.count == 4


async def test_an_alarm_is_raised_once_a_window(tower: Tower) -> None:
    """Who goes on raises the next one only after the window; others are heard meanwhile."""
    assert len(await tower.see(failed(count=4), address="192.0.2.1")) == 1
    for _ in range(50):
        assert await tower.see(failed(count=9), address="192.0.2.1") == []
    assert len(await tower.see(failed(count=4), address="192.0.2.2")) == 1
    tower.clock.time += 60
    assert len(await tower.see(failed(count=4), address="192.0.2.1")) == 1


@pytest.mark.parametrize(
    ("detail", "kind", "subject"),
    [
        (
            happened.SignedIn(LoginMethod.PASSWORD, new_place=True),
            AlarmKind.NEW_PLACE,
            "users/user_ann",
        ),
        (
            happened.ApiKeyUsed("key_1", new_place=True),
            AlarmKind.API_KEY_IN_NEW_PLACE,
            "api_keys/key_1",
        ),
        (
            happened.RefreshTokenReused("sess_1"),
            AlarmKind.REFRESH_TOKEN_REUSED,
            "users/user_ann",
        ),
    ],
)
async def test_what_is_unusual_by_itself(
    tower: Tower, detail: Any, kind: AlarmKind, subject: str
) -> None:
    """One event is enough, and whom it concerns may see the alarm."""
    assert await tower.see(detail, "user_ann") == [happened.AlarmRaised(kind, subject)]
    assert await tower.see(happened.SignedIn(LoginMethod.PASSWORD), "user_ann") == []
    assert await tower.see(happened.ApiKeyUsed("key_1"), "user_ann") == []


def test_memory_is_bounded_under_100_000_subjects() -> None:
    """So many are remembered as are allowed; one that goes on is not forgotten for strangers."""
    windows = Windows(3, 60.0, subjects=1_000)
    found = 0
    for number in range(100_000):
        assert windows.count(f"stranger{number}", 0.0) == 0
        if number % 500 == 0:
            found += bool(windows.count("guesser", 0.0))
        assert len(windows) <= 2_000
    assert found == 1
    for number in range(100_000):
        windows.count(f"loud{number}", 0.0, 3)
    assert len(windows) <= 2_000


def test_a_clock_that_ran_ahead_neither_silences_nor_alarms() -> None:
    """What was seen an hour ahead does not count once the clock is put right."""
    windows = Windows(3, 60.0)
    assert windows.count("loud", 3_600.0, 3) == 3
    assert windows.count("quiet", 3_600.0, 2) == 0
    assert windows.count("quiet", 0.0) == 0
    assert windows.count("loud", 0.0, 3) == 3
