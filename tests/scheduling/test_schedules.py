"""Who may make and change schedules, and what they pass before they are kept."""

from collections.abc import AsyncIterator
from dataclasses import dataclass, field, replace

import pytest

from antiphon_server.runtime.errors import DomainError, Reason
from antiphon_server.scheduling.adapters.sql_schedules import SqlSchedules
from antiphon_server.scheduling.adapters.tables import schedules
from antiphon_server.scheduling.model import Schedule
from antiphon_server.scheduling.schedules import Schedules
from tests.e2e.refusals import Refused
from tests.fakes.databases import opened_sqlite
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


@pytest.fixture
async def it() -> AsyncIterator[Stage]:
    async with opened_sqlite(schedules.metadata) as database:
        front = Admitting()
        yield Stage(Schedules(SqlSchedules(database), front, lambda: FIRST), front)


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
