"""Security events: completed, stored in order, never changed."""

import asyncio
from dataclasses import fields
from typing import Any, get_args

import pytest
from sqlalchemy import text

from antiphon.auth.v1 import audit_pb2, auth_pb2
from antiphon_server.auth import audit_encoding
from antiphon_server.auth.model import security_events as happened
from antiphon_server.auth.model.chain import ALL, Selection
from antiphon_server.auth.model.origin import LoginMethod
from antiphon_server.auth.model.security_events import SecurityEvent
from antiphon_server.auth.service.hash_chain import chained
from antiphon_server.runtime.access.principal import set_principal
from antiphon_server.runtime.errors import Reason
from antiphon_server.runtime.net.addresses import set_address
from antiphon_server.runtime.telemetry.current_rpc import Rpc, set_rpc
from tests.auth.world import OPERATOR, World

DETAILS = get_args(happened.Detail)
SAMPLES: dict[str, Any] = {
    "str": "text",
    "bool": True,
    "int": 7,
    "int | None": 1_800_000_000_000_001,
    "tuple[str, ...]": ("one", "two"),
    "RoleNumber": 3,
    "Reason": Reason.NOT_FOUND,
}


def sample(detail: Any) -> Any:
    """An event of the kind with a value in every field."""
    values = {}
    for field in fields(detail):
        name = field.type if isinstance(field.type, str) else getattr(field.type, "__name__", "")
        kind = getattr(happened, str(name), None)
        values[field.name] = SAMPLES.get(str(field.type), SAMPLES.get(str(name)))
        if isinstance(kind, type) and issubclass(kind, int):
            values[field.name] = kind(2)
    return detail(**values)


async def stored(world: World, which: Selection = ALL) -> list[audit_pb2.SecurityEvent]:
    """What the store holds behind the event of the first key, the oldest first."""
    found = await world.stores.security_events.after(1, which, 1_000)
    return [audit_encoding.opened(event) for event in found]


@pytest.mark.parametrize("detail", DETAILS, ids=lambda detail: detail.__name__)
def test_a_kind_has_the_fields_of_its_message(detail: Any) -> None:
    """Nothing that the rules know is lost in the contract, and the other way round."""
    message = getattr(audit_pb2, detail.__name__).DESCRIPTOR
    assert {field.name for field in fields(detail)} == set(message.fields_by_name)


def test_every_kind_has_one_number() -> None:
    """The oneof's numbers are the enum's, and every kind of the contract is known."""
    oneof = audit_pb2.SecurityEvent.DESCRIPTOR.oneofs_by_name["detail"].fields
    prefix = "SECURITY_EVENT_KIND_"
    named = {f"{prefix}{field.name.upper()}": field.number for field in oneof}
    assert named | {f"{prefix}UNSPECIFIED": 0} == dict(audit_pb2.SecurityEventKind.items())
    assert {detail.__name__ for detail in DETAILS} == {
        field.message_type.name for field in oneof if field.message_type
    }


@pytest.mark.parametrize(
    ("ours", "theirs"),
    [
        (LoginMethod, auth_pb2.LoginMethod),
        (happened.SignInFailure, audit_pb2.SignInFailure),
        (happened.RevocationCause, audit_pb2.RevocationCause),
        (happened.AlarmKind, audit_pb2.AlarmKind),
    ],
)
def test_enums_are_the_contracts(ours: Any, theirs: Any) -> None:
    """Names and numbers are the same."""
    prefix = theirs.Name(0).removesuffix("UNSPECIFIED")
    named = {f"{prefix}{value.name}": value for value in ours} | {f"{prefix}UNSPECIFIED": 0}
    assert named == dict(theirs.items())


@pytest.mark.parametrize("detail", DETAILS, ids=lambda detail: detail.__name__)
async def test_an_event_comes_back_whole(world: World, detail: Any) -> None:
    """Every field of every kind survives the store, and the way of another service."""
    event = SecurityEvent(sample(detail), "user_ann", "users/user_bob", "sess_1", "192.0.2.9")
    await world.recording.security_events.record(event)
    (message,) = await stored(world)
    assert audit_encoding.recorded(message) == event


async def test_what_is_not_said_is_the_callers(world: World) -> None:
    """Actor, session and address are those of the call in hand."""
    set_address("203.0.113.7")
    set_principal(OPERATOR)
    await world.recording.security_events.record(
        SecurityEvent(happened.PasswordChanged(), "user_ann")
    )
    (event,) = await stored(world)
    assert event.actor == "users/user_operator"
    assert (event.session_id, event.address) == ("sess_operator", "203.0.113.7")
    assert event.create_time.ToMicroseconds() == int(world.clock() * 1e6)


async def test_who_has_not_proved_anything_is_anonymous(world: World) -> None:
    """There is one name for all who are not known; outside of a call it is the service itself."""
    failed = happened.SignInFailed(LoginMethod.PASSWORD, happened.SignInFailure.UNKNOWN)
    await world.recording.security_events.record(SecurityEvent(failed))
    set_rpc(Rpc("req_00000001"))
    await world.recording.security_events.record(SecurityEvent(failed))
    own, event = await stored(world)
    assert (own.actor, own.session_id) == ("services/auth", "")
    assert (event.actor, event.session_id) == ("anonymous", "")


async def test_texts_are_bounded_and_printable(world: World) -> None:
    """What a stranger chooses neither fills the store nor moves a terminal's cursor."""
    await world.recording.security_events.record(
        SecurityEvent(happened.ApiKeyCreated("key_1", "a\x1b[31m\n" + "x" * 1_000)),
        SecurityEvent(happened.UserUpdated(("y" * 1_000,) * 1_000)),
    )
    created, updated = await stored(world)
    assert created.api_key_created.label == "a[31m" + "x" * 249
    assert [len(text) for text in updated.user_updated.changed] == [256] * 32


async def test_the_chain_is_unbroken_under_concurrency(world: World) -> None:
    """500 events at once get 500 places, each tied to the one before."""
    record = world.recording.security_events.record
    await asyncio.gather(
        *(record(SecurityEvent(happened.SessionExpired(f"sess_{n}"))) for n in range(500))
    )
    events = await world.stores.security_events.after(0, ALL, 1_000)
    assert [event.sequence for event in events] == list(range(1, 502))
    previous = bytes(32)
    for event in events:
        assert event.previous_hash == previous
        assert event.hash == chained(previous, event.body)
        previous = event.hash
    head = await world.stores.security_events.head()
    assert (head.sequence, head.hash) == (501, previous)


async def test_events_of_one_record_stay_together(world: World) -> None:
    """What is recorded by one call is in its order, without others between."""
    record = world.recording.security_events.record

    async def three(name: str) -> None:
        await record(*(SecurityEvent(happened.SessionExpired(f"{name}{n}")) for n in range(3)))

    await asyncio.gather(*(three(name) for name in "abcdef"))
    ids = [event.session_expired.session_id for event in await stored(world)]
    assert [ids[at : at + 3] for at in range(0, 18, 3)] == [
        [f"{name}{n}" for n in range(3)] for name in "abcdef"
    ]


async def test_events_are_found_by_whom_they_concern(world: World) -> None:
    """By account, be it the subject or the actor, by kind, by time, and in both directions."""
    record, clock = world.recording.security_events.record, world.clock
    begin = int(clock() * 1e6)
    await record(SecurityEvent(happened.UserCreated("ann"), "user_ann", "users/user_bob"))
    clock.time += 1
    await record(SecurityEvent(happened.UserEnabled(), "user_bob", "users/user_bob"))
    clock.time += 1
    await record(SecurityEvent(happened.UserDisabled(), "user_eve", "services/auth"))

    async def found(**which: Any) -> list[int]:
        store, selection = world.stores.security_events, Selection(**which)
        up = [event.sequence for event in await store.after(1, selection, 9)]
        down = [event.sequence for event in await store.before(None, selection, 9)]
        assert up == [sequence for sequence in down[::-1] if sequence > 1]
        return [sequence - 1 for sequence in up]

    assert await found() == [1, 2, 3]
    assert await found(user_id="user_ann") == [1]
    assert await found(user_id="user_bob") == [1, 2]
    assert await found(kinds=frozenset({50, 52})) == [1, 3]
    assert await found(begin_time=begin + 1_000_000, end_time=begin + 2_000_000) == [2]
    assert await found(user_id="user_bob", kinds=frozenset({53})) == [2]
    store = world.stores.security_events
    assert [event.sequence for event in await store.after(2, ALL, 1)] == [3]
    assert [event.sequence for event in await store.before(4, ALL, 1)] == [3]


async def test_those_who_listen_are_told_after_the_commit(world: World) -> None:
    """In order, and with the place that the event has."""
    told: list[int] = []
    log = world.recording.security_events
    log.on_event(lambda event, sealed: told.append(sealed.sequence))
    await log.record(*[SecurityEvent(happened.UserEnabled())] * 3)
    assert told == [2, 3, 4]


@pytest.mark.parametrize(
    "harm", ["UPDATE auth_security_events SET kind = 1", "DELETE FROM auth_security_events"]
)
async def test_a_statement_can_change_nothing(world: World, harm: str) -> None:
    """The database itself refuses to change or remove what is recorded."""
    await world.recording.security_events.record(SecurityEvent(happened.UserEnabled()))
    with pytest.raises(Exception, match="only ever added"):
        await world.database.write(lambda connection: connection.execute(text(harm)))
    assert len(await stored(world)) == 1


async def test_a_listener_that_fails_doubles_nothing(world: World) -> None:
    """Every event is stored once, and those who listen behind it are told."""
    log, told = world.recording.security_events, []

    def broken(*_: object) -> None:
        raise ValueError("broken")

    log.on_event(broken)
    log.on_event(lambda event, _: told.append(event.user_id))
    names = [f"user_{number}" for number in range(5)]
    await asyncio.gather(
        *(log.record(SecurityEvent(happened.SessionExpired("s"), name)) for name in names)
    )
    assert [event.user_id for event in await stored(world)] == told == names
