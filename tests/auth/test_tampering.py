"""Whoever has the database, and not the installation's secret, changes nothing unseen."""

import random
import shutil
import sqlite3
from collections.abc import AsyncIterator
from contextlib import closing
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from antiphon_server.auth.adapters.tables import metadata
from antiphon_server.auth.audit_encoding import faithful
from antiphon_server.auth.descriptor import AUTH
from antiphon_server.auth.model import security_events as happened
from antiphon_server.auth.model.audit import AuditFault, Found, Verdict
from antiphon_server.auth.model.chain import ALL, SealedEvent
from antiphon_server.auth.model.security_events import SecurityEvent
from antiphon_server.runtime.storage.migrations import migrate
from antiphon_server.runtime.storage.sqlite import SqliteDatabase
from tests.auth.harms import EVENTS, HARMS, Harm, delete, truncate
from tests.auth.world import World, open_world
from tests.fakes.newer import NUMBER, newer
from tests.runtime.revisions import leave


@dataclass(slots=True)
class Crime:
    """A service with a trail, the head that an auditor kept, and the database's file."""

    world: World
    connection: sqlite3.Connection
    kept: str

    async def verdict(self, kept: str = "") -> Verdict:
        """What the service says of its own trail."""
        return await self.world.auth.trail.trail.verify(kept)

    def commit(self, harm: Harm, chance: random.Random) -> int | None:
        """Do it behind the service's back."""
        where = harm(self.connection, chance)
        self.connection.commit()
        return where

    def break_in(self) -> None:
        """Get ready: whoever can write the file can drop triggers."""
        self.connection.execute("PRAGMA synchronous=OFF")
        for what in ("update", "delete"):
            self.connection.execute(f"DROP TRIGGER auth_security_events_no_{what}")
        self.connection.execute("CREATE TABLE before AS SELECT * FROM auth_security_events")
        self.connection.commit()

    def undo(self) -> None:
        """Make the table as it was."""
        self.connection.execute("DELETE FROM auth_security_events")
        self.connection.execute("INSERT INTO auth_security_events SELECT * FROM before")
        self.connection.commit()


@pytest.fixture
async def crime(tmp_path: Path) -> AsyncIterator[Crime]:
    """A trail of some events, of which an auditor kept the head."""
    world = await open_world(tmp_path)
    for number in range(EVENTS - 1):
        await world.recording.security_events.record(
            SecurityEvent(happened.UserCreated(f"user{number}"), f"user_{number:08}", "users/boss")
        )
    head = await world.auth.trail.trail.head()
    assert head.head.sequence == EVENTS
    with closing(sqlite3.connect(tmp_path / "test.db")) as connection:
        scene = Crime(world, connection, head.signature)
        scene.break_in()
        yield scene
    await world.close()


async def test_a_trail_that_nobody_touched_is_whole(crime: Crime) -> None:
    """All events are proved, with and without a head that was kept."""
    for kept in ("", crime.kept):
        verdict = await crime.verdict(kept)
        assert (verdict.found, verdict.verified) == (None, EVENTS)


async def test_of_1000_random_tamperings_none_is_missed(crime: Crime) -> None:
    """Of every kind; the verdict names the first event that is wrong, what is before is proved."""
    chance = random.Random(11)
    missed = []
    for number in range(1_000):
        harm = chance.choice(HARMS)
        where = crime.commit(harm, chance)
        verdict = await crime.verdict(crime.kept)
        found = verdict.found and verdict.found.sequence
        if where is None or (found, verdict.verified) != (where, where - 1):
            missed.append((number, harm.__name__, where, verdict.found))
        crime.undo()
    assert missed == []
    assert (await crime.verdict(crime.kept)).found is None


async def test_a_tail_that_is_cut_off_shows_by_a_kept_head_alone(crime: Crime) -> None:
    """A chain can't know that it was longer; whoever kept a head does."""
    crime.commit(truncate, random.Random(3))
    assert (await crime.verdict()).found is None
    verdict = await crime.verdict(crime.kept)
    assert verdict.found is not None
    assert verdict.found.fault is AuditFault.CUT_OFF


async def test_another_installations_trail_is_found_out(crime: Crime, tmp_path: Path) -> None:
    """A whole, well-formed trail in the place of this one is another history."""
    (tmp_path / "other").mkdir()
    other = await open_world(tmp_path / "other")
    await other.auth.recording.security_events.record(
        *[SecurityEvent(happened.UserEnabled())] * EVENTS
    )
    foreign = (await other.auth.trail.trail.head()).signature
    await other.close()
    shutil.copy(tmp_path / "other" / "test.db", tmp_path / "copy.db")

    def replace_all(connection: sqlite3.Connection, _chance: random.Random) -> int:
        connection.execute("ATTACH ? AS other", (str(tmp_path / "copy.db"),))
        connection.execute("DELETE FROM auth_security_events")
        connection.execute(
            "INSERT INTO auth_security_events SELECT * FROM other.auth_security_events"
        )
        return 1

    crime.commit(replace_all, random.Random(1))
    assert (await crime.verdict()).found == Found(AuditFault.FORGED, 1)
    kept = await crime.verdict(crime.kept)
    assert kept.found == Found(AuditFault.FORGED, 1)
    assert (await crime.verdict(foreign)).found == Found(AuditFault.SIGNATURE_INVALID, 0)


async def test_a_forged_head_is_refused(crime: Crime) -> None:
    """Of heads that were changed by a character none counts."""
    chance = random.Random(5)
    for _ in range(200):
        at = chance.randrange(len(crime.kept) - 1)
        letter = chance.choice("abcXYZ019-_.")
        forged = crime.kept[:at] + letter + crime.kept[at + 1 :]
        if forged == crime.kept:
            continue
        verdict = await crime.verdict(forged)
        assert verdict.found == Found(AuditFault.SIGNATURE_INVALID, 0)


async def test_a_head_outlives_the_key_that_signed_it(crime: Crime) -> None:
    """The trail tells of every key; one that was retired long ago verifies what it signed."""
    keys, clock = crime.world.tokens.signing_keys, crime.world.clock
    for _ in range(3):
        clock.time += 86_400
        await keys.rotate()
    assert len(keys.valid()) == 2
    verdict = await crime.verdict(crime.kept)
    assert (verdict.found, verdict.verified) == (None, EVENTS + 3)


def test_no_body_and_columns_can_disagree() -> None:
    """What an event is found by is a part of what is verified."""
    event = SealedEvent(1, 50, "u", "a", 1, b"not a message \xff", bytes(32), bytes(32), bytes(32))
    assert not faithful(event)


def test_an_event_of_a_newer_server_is_whole() -> None:
    """What happened is not understood here; that the body says it is."""
    message = newer("auth.v1.SecurityEvent")(sequence=1, user_id="u", actor="a")
    message.newer.text, message.create_time.nanos = "newer", 1000
    body = message.SerializeToString()
    event = SealedEvent(1, NUMBER, "u", "a", 1, body, bytes(32), bytes(32), bytes(32))
    assert faithful(event)
    assert not faithful(replace(event, kind=NUMBER + 1))


async def test_events_behind_a_broken_one_are_still_readable(crime: Crime) -> None:
    """A trail that was harmed is read on: it may be all that there is."""
    crime.commit(delete, random.Random(2))
    events = await crime.world.stores.security_events.after(0, ALL, 1_000)
    assert len(events) == EVENTS - 1


@pytest.mark.parametrize("seen", ["", "0002"])
async def test_every_database_refuses_changes_of_the_trail(tmp_path: Path, seen: str) -> None:
    """One that was made anew, and one that an older version has made."""
    path = tmp_path / "x.db"
    if seen:
        await leave(path, "auth", seen)
    database = SqliteDatabase(path)
    await migrate(database, "auth", AUTH.schema().versions, metadata)
    await database.close()
    with closing(sqlite3.connect(path)) as connection:
        found = connection.execute(
            "SELECT name FROM sqlite_master WHERE type = 'trigger' ORDER BY name"
        ).fetchall()
    assert found == [
        ("auth_security_events_no_delete",),
        ("auth_security_events_no_update",),
    ]
