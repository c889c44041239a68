"""Whoever has the database, and not the installation's secret, changes nothing unseen."""

import asyncio
import random
import shutil
import sqlite3
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AbstractContextManager, closing, nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from antiphon_server.auth.adapters.server_secret import MasterSecret
from antiphon_server.auth.adapters.tables import metadata
from antiphon_server.auth.audit_encoding import ROTATIONS, faithful, rotated_key
from antiphon_server.auth.compose import VERSIONS
from antiphon_server.auth.model import DAY, SECOND, StoredSigningKey
from antiphon_server.auth.model import security_events as happened
from antiphon_server.auth.model.audit import AuditFault, Found, Verdict
from antiphon_server.auth.model.chain import ALL, SealedEvent
from antiphon_server.auth.model.security_events import SecurityEvent
from antiphon_server.auth.ports.security_events import Records, unrecorded
from antiphon_server.auth.service.audit_heads import ALGORITHM, TYPE
from antiphon_server.auth.service.hash_chain import chained
from antiphon_server.auth.service.signing_keys import SigningKeys, thumbprint
from antiphon_server.runtime.migrations import migrate
from antiphon_server.runtime.sqlite import SqliteDatabase
from tests.auth.world import World, open_world, valid_kids

T = TypeVar("T")
EVENTS = 40
SCHEMAS_SEEN = Path(__file__).parents[1] / "runtime" / "schemas"
COLUMNS = ("kind", "user_id", "actor", "create_time", "body", "previous_hash", "hash", "seal")
Harm = Callable[[sqlite3.Connection, random.Random], int | None]
"""Changes the database; returns the first event that is wrong, None if it can't be told."""


@dataclass(slots=True)
class Crime:
    """A service with a trail, the head that an auditor kept, and the database's file."""

    world: World
    connection: sqlite3.Connection
    kept: str

    async def verdict(self, kept: str = "") -> Verdict:
        """What the service says of its own trail."""
        return await self.world.auth.audit_trail.verify(kept)

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
    world = await open_world(tmp_path, sqlite=True)
    for number in range(EVENTS - 1):
        await world.auth.security_events.record(
            SecurityEvent(happened.UserCreated(f"user{number}"), f"user_{number:08}", "users/boss")
        )
    head = await world.auth.audit_trail.head()
    assert head.head.sequence == EVENTS
    with closing(sqlite3.connect(tmp_path / "test.db")) as connection:
        scene = Crime(world, connection, head.signature)
        scene.break_in()
        yield scene
    await world.close()


def change(connection: sqlite3.Connection, chance: random.Random) -> int:
    """Another value in any column of any event."""
    row, column = chance.randint(1, EVENTS), chance.choice(COLUMNS)
    (value,) = connection.execute(
        f"SELECT {column} FROM auth_security_events WHERE sequence = ?", (row,)
    ).fetchone()
    if isinstance(value, bytes):
        at = chance.randrange(len(value))
        value = value[:at] + bytes([value[at] ^ 1 << chance.randrange(8)]) + value[at + 1 :]
    else:
        value = f"{value}x" if isinstance(value, str) else value + 1
    connection.execute(
        f"UPDATE auth_security_events SET {column} = ? WHERE sequence = ?", (value, row)
    )
    return row


def delete(connection: sqlite3.Connection, chance: random.Random) -> int:
    """An event is gone, from anywhere but the end."""
    row = chance.randint(1, EVENTS - 1)
    connection.execute("DELETE FROM auth_security_events WHERE sequence = ?", (row,))
    return row


def delete_and_close_up(connection: sqlite3.Connection, chance: random.Random) -> int:
    """An event is gone, and those behind it are renumbered."""
    row = delete(connection, chance)
    for sequence in range(row + 1, EVENTS + 1):
        connection.execute(
            "UPDATE auth_security_events SET sequence = ? WHERE sequence = ?",
            (sequence - 1, sequence),
        )
    return row


def reorder(connection: sqlite3.Connection, chance: random.Random) -> int:
    """Two events change places."""
    one, other = sorted(chance.sample(range(1, EVENTS + 1), 2))
    for old, new in ((one, -1), (other, one), (-1, other)):
        connection.execute(
            "UPDATE auth_security_events SET sequence = ? WHERE sequence = ?", (new, old)
        )
    return one


def insert(connection: sqlite3.Connection, chance: random.Random) -> int:
    """A copy of an event stands behind the last, with a hash that fits."""
    copied = chance.randint(1, EVENTS)
    row = connection.execute(
        f"SELECT {', '.join(COLUMNS[:5])} FROM auth_security_events WHERE sequence = ?", (copied,)
    ).fetchone()
    (last,) = connection.execute(
        "SELECT hash FROM auth_security_events WHERE sequence = ?", (EVENTS,)
    ).fetchone()
    values = (EVENTS + 1, *row, last, chained(last, row[4]), chance.randbytes(32))
    marks = ", ".join("?" * len(values))
    connection.execute(
        f"INSERT INTO auth_security_events (sequence, {', '.join(COLUMNS)}) VALUES ({marks})",
        values,
    )
    return EVENTS + 1


def truncate(connection: sqlite3.Connection, chance: random.Random) -> int:
    """The newest events are gone."""
    last = chance.randint(0, EVENTS - 1)
    connection.execute("DELETE FROM auth_security_events WHERE sequence > ?", (last,))
    return last + 1


def rewrite(connection: sqlite3.Connection, chance: random.Random) -> int:
    """An event is changed and the chain computed anew to its end, as anybody can."""
    first = chance.randint(1, EVENTS)
    rows = connection.execute(
        "SELECT sequence, body, previous_hash FROM auth_security_events WHERE sequence >= ?"
        " ORDER BY sequence",
        (first,),
    ).fetchall()
    previous = rows[0][2]
    for sequence, body, _ in rows:
        if sequence == first:
            body = body.replace(b"users/boss", b"users/mary") + b"\x12\x00"
        hashed = chained(previous, body)
        connection.execute(
            "UPDATE auth_security_events SET body = ?, previous_hash = ?, hash = ?"
            " WHERE sequence = ?",
            (body, previous, hashed, sequence),
        )
        previous = hashed
    return first


HARMS: list[Harm] = [change, delete, delete_and_close_up, reorder, insert, truncate, rewrite]


async def test_a_trail_that_nobody_touched_is_whole(crime: Crime) -> None:
    """All events are proved, with and without a head that was kept."""
    for kept in ("", crime.kept):
        verdict = await crime.verdict(kept)
        assert (verdict.found, verdict.verified) == (None, EVENTS)


@pytest.mark.parametrize("harm", HARMS, ids=lambda harm: harm.__name__)
async def test_every_kind_of_tampering_is_found_where_it_is(crime: Crime, harm: Harm) -> None:
    """The verdict names the first event that is wrong; what is before it is proved."""
    where = crime.commit(harm, random.Random(1))
    verdict = await crime.verdict(crime.kept)
    assert verdict.found is not None
    assert verdict.found.sequence == where
    assert verdict.verified == where - 1


async def test_of_1000_random_tamperings_none_is_missed(crime: Crime) -> None:
    """Each is found, and found where it is."""
    chance = random.Random(11)
    missed = []
    for number in range(1_000):
        harm = chance.choice(HARMS)
        where = crime.commit(harm, chance)
        verdict = await crime.verdict(crime.kept)
        if verdict.found is None or verdict.found.sequence != where:
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
    other = await open_world(tmp_path / "other", sqlite=True)
    await other.auth.security_events.record(*[SecurityEvent(happened.UserEnabled())] * EVENTS)
    foreign = (await other.auth.audit_trail.head()).signature
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
    keys, clock = crime.world.auth.signing_keys, crime.world.clock
    for _ in range(3):
        clock.time += 86_400
        await keys.rotate()
    assert len(keys.valid()) == 2
    verdict = await crime.verdict(crime.kept)
    assert (verdict.found, verdict.verified) == (None, EVENTS + 3)


async def test_a_key_that_was_never_told_of_is_told_of_at_the_next_start(tmp_path: Path) -> None:
    """As an older version left it, or a kill: what it signed outlives it, too. It is told once."""
    world = await open_world(tmp_path)
    world.stores.security_events.events.clear()  # type: ignore[attr-defined]
    await world.close()
    for _ in range(2):
        world = await open_world(tmp_path, stores=world.stores, clock=world.clock)
        assert await rotations(world) == [key.kid for key in world.auth.signing_keys.valid()]
        await world.close()
    world = await open_world(tmp_path, stores=world.stores, clock=world.clock)
    kept = (await world.auth.audit_trail.head()).signature
    for _ in range(3):
        world.clock.time += 86_400
        await world.auth.signing_keys.rotate()
    assert (await world.auth.audit_trail.verify(kept)).found is None
    await world.close()


class Silent:
    """Records nothing."""

    def recording(
        self, _events: Callable[[T], Sequence[SecurityEvent]]
    ) -> AbstractContextManager[Records[T]]:
        """See :meth:`Recorder.recording`."""
        return nullcontext(unrecorded)


async def test_a_key_that_another_slipped_in_is_not_told_of(tmp_path: Path) -> None:
    """One that this installation's secret does not open is nobody's whose heads should count."""
    world = await open_world(tmp_path)
    foreign = SigningKeys(
        world.stores.signing_keys,
        MasterSecret(b"x" * 32),
        Silent(),
        world.clock,
        900,
    )
    kid = await foreign.rotate()
    await world.auth.signing_keys.rotate()
    await world.close()
    world = await open_world(tmp_path, stores=world.stores, clock=world.clock)
    assert kid in valid_kids(world.auth.signing_keys)
    assert kid not in await rotations(world)
    await world.close()


async def test_a_head_of_a_key_that_another_slipped_in_is_refused(tmp_path: Path) -> None:
    """Whoever writes the database adds a key, also with the sealed part of a genuine one.

    Heads of the genuine ones count all the same, and no other one ever signs.
    """
    world = await open_world(tmp_path)
    store, signing, trail = (
        world.stores.signing_keys,
        world.auth.signing_keys,
        world.auth.audit_trail,
    )
    (genuine,) = await store.list_valid(0)
    kept = (await trail.head()).signature
    for sealed in (b"anything", genuine.sealed_private_key):
        forger = Ed25519PrivateKey.generate()
        public = forger.public_key().public_bytes_raw()
        kid, now = thumbprint(public), int(world.clock() * SECOND)
        later = now + DAY
        await store.rotate(StoredSigningKey(kid, public, sealed, now + 1), later, now, unrecorded)
        await signing.reload()
        assert kid in valid_kids(signing)
        assert signing.signer()[0] == genuine.kid
        lie = {"iat": world.clock(), "sequence": 0, "hash": "0" * 64}
        forged = jwt.encode(lie, forger, ALGORITHM, headers={"typ": TYPE, "kid": kid})
        assert (await trail.verify(forged)).found == Found(AuditFault.SIGNATURE_INVALID, 0)
        assert (await trail.verify(kept)).found is None
    await world.close()


async def test_a_server_that_stops_tells_of_the_key_that_it_was_making(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Though the schedule is cancelled when the key is in the store and not yet in the trail."""
    world = await open_world(tmp_path)
    reload, made = world.auth.signing_keys.reload, asyncio.Event()

    async def slow_reload() -> None:
        made.set()
        await asyncio.sleep(0)
        await reload()

    monkeypatch.setattr(world.auth.signing_keys, "reload", slow_reload)
    world.clock.time += 31 * 86_400
    schedule = asyncio.create_task(world.auth.key_rotation.run())
    await made.wait()
    schedule.cancel()
    await asyncio.wait([schedule])
    await world.close()
    assert len(await rotations(world)) == 2


async def rotations(world: World) -> list[str]:
    """The keys that the trail tells of, in order."""
    found = await world.stores.security_events.after(0, ROTATIONS, 100)
    return [rotated_key(event)[0] for event in found]


def test_no_body_and_columns_can_disagree() -> None:
    """What an event is found by is a part of what is verified."""
    event = SealedEvent(1, 50, "u", "a", 1, b"not a message \xff", bytes(32), bytes(32), bytes(32))
    assert not faithful(event)


async def test_events_behind_a_broken_one_are_still_readable(crime: Crime) -> None:
    """A trail that was harmed is read on: it may be all that there is."""
    crime.commit(delete, random.Random(2))
    events = await crime.world.stores.security_events.after(0, ALL, 1_000)
    assert len(events) == EVENTS - 1


@pytest.mark.parametrize("seen", ["", "auth_0002"])
async def test_every_database_refuses_changes_of_the_trail(tmp_path: Path, seen: str) -> None:
    """One that was made anew, and one that an older version has made."""
    path = tmp_path / "x.db"
    if seen:
        with closing(sqlite3.connect(path)) as connection:
            connection.executescript((SCHEMAS_SEEN / f"{seen}.sql").read_text())
    database = SqliteDatabase(path)
    await migrate(database, "auth", VERSIONS, metadata)
    await database.close()
    with closing(sqlite3.connect(path)) as connection:
        found = connection.execute(
            "SELECT name FROM sqlite_master WHERE type = 'trigger' ORDER BY name"
        ).fetchall()
    assert found == [
        ("auth_security_events_no_delete",),
        ("auth_security_events_no_update",),
    ]
