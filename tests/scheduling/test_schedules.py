"""Who may make and change schedules, and what they pass before they are kept."""

from collections.abc import AsyncIterator
from dataclasses import dataclass, field, replace

import pytest

from antiphon_server.runtime.access.principal import UserId
from antiphon_server.runtime.errors import DomainError, Reason
from antiphon_server.runtime.profiles.model import Profile
from antiphon_server.scheduling.adapters.sql_schedules import SqlSchedules
from antiphon_server.scheduling.adapters.tables import schedules
from antiphon_server.scheduling.model import Cron, Schedule
from antiphon_server.scheduling.schedules import Schedules
from tests.e2e.refusals import Refused
from tests.fakes.databases import opened_sqlite
from tests.fakes.fixed_profiles import FixedProfiles
from tests.scheduling.test_firing import FIRST, HERE, MADE, NAME

WANTED = replace(MADE, workspace_id="", life="", next_us=None)


@dataclass
class Admitting:
    """A conversation whose filters leave nothing of what is said, unless it takes nothing."""

    why: Reason | None = None
    asked: list[bytes] = field(default_factory=list)

    async def admitted(self, wanted: Schedule) -> Schedule:
        return replace(await self.left(wanted), workspace_id="ws_00000001")

    async def left(self, changed: Schedule) -> Schedule:
        self.asked.append(changed.body)
        if self.why is not None:
            raise DomainError(self.why)
        return replace(changed, body=b"")


@dataclass
class Stage:
    """The rules, on a store."""

    rules: Schedules
    front: Admitting
    profiles: FixedProfiles


@pytest.fixture
async def it() -> AsyncIterator[Stage]:
    async with opened_sqlite(schedules.metadata) as database:
        front, profiles = Admitting(), FixedProfiles()
        store = SqlSchedules(database)
        yield Stage(Schedules(store, front, lambda: FIRST, profiles), front, profiles)


async def test_one_is_made_once_of_what_is_left_of_it(it: Stage) -> None:
    made = await it.rules.create(replace(WANTED, body=b"secret"))
    assert (made.body, made.workspace_id) == (b"", "ws_00000001")
    it.front.why = Reason.CONVERSATION_ARCHIVED
    assert await it.rules.create(replace(WANTED, body=b"secret")) == made
    assert it.front.asked == [b"secret"]
    with Refused(Reason.ALREADY_EXISTS):
        await it.rules.create(replace(WANTED, creator="users/user_0000000bob"))


async def test_what_is_not_admitted_is_not_kept(it: Stage) -> None:
    it.front.why = Reason.CONVERSATION_ARCHIVED
    with Refused(Reason.CONVERSATION_ARCHIVED):
        await it.rules.create(WANTED)
    with Refused(Reason.NOT_FOUND):
        await it.rules.get(HERE, NAME)


async def test_others_pause_it_and_say_nothing_in_it(it: Stage) -> None:
    made, bob = await it.rules.create(WANTED), "users/user_0000000bob"
    said = replace(made, body=b"theirs")
    for named in (["parts"], ["parts", "paused"]):
        with Refused(Reason.PERMISSION_DENIED):
            await it.rules.change(made, said, "", named, bob)
    paused = await it.rules.change(made, replace(made, paused=True), "", ["paused"], bob)
    assert (paused.paused, paused.next_us) == (True, None)
    assert len(it.front.asked) == 1


async def test_what_its_creator_says_passes_filters(it: Stage) -> None:
    made = await it.rules.create(WANTED)
    now = await it.rules.change(made, replace(made, body=b"new"), "", ["parts"], made.creator)
    assert (now.body, it.front.asked) == (b"", [b"", b"new"])


async def test_times_are_those_of_the_creator_who_names_no_zone(it: Stage) -> None:
    """As it is when they are said: later changes leave them. Without any it is UTC."""
    when, made_by = Cron("0 9 * * *", ""), UserId(WANTED.creator.removeprefix("users/"))
    wanted = replace(WANTED, when=when)
    assert (await it.rules.create(replace(wanted, schedule_id="sched_00000001"))).when == when
    it.profiles.known = {made_by: Profile(made_by, time_zone="Europe/Berlin")}
    made = await it.rules.create(replace(wanted, schedule_id="sched_00000002"))
    assert made.when == Cron("0 9 * * *", "Europe/Berlin")
    assert it.profiles.asked_for[-1] == (made_by, "ws_00000001")
    tokyo = replace(wanted, schedule_id="sched_00000003", when=Cron("0 9 * * *", "Asia/Tokyo"))
    assert (await it.rules.create(tokyo)).when == tokyo.when
    it.profiles.known = {}
    paused = replace(made, paused=True)
    changed = await it.rules.change(made, paused, "", ["paused"], made.creator)
    assert changed.when == made.when
    anew = replace(changed, when=when)
    assert (await it.rules.change(changed, anew, "", ["when"], made.creator)).when == when


async def test_nothing_is_scheduled_by_a_zone_that_can_not_be_told(it: Stage) -> None:
    """Hours off would be worse; a zone that is named needs no profile."""
    it.profiles.is_away = True
    with Refused(Reason.SERVICE_UNAVAILABLE):
        await it.rules.create(replace(WANTED, when=Cron("0 9 * * *", "")))
    await it.rules.create(replace(WANTED, when=Cron("0 9 * * *", "UTC")))
