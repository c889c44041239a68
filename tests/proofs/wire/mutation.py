"""Two ways to spoil a request: as a message, field by field, and as bytes."""

import random
from typing import Any

from google.protobuf import message_factory
from google.protobuf.descriptor import FieldDescriptor
from google.protobuf.message import Message

from tests.proofs.wire import values
from tests.proofs.wire.grammar import fields_of, is_map

DEEP = 150
"""More levels than a parser takes."""
MOST_ITEMS = 60_000
ANY = "google.protobuf.Any"
TYPES = ("", "x", "type.googleapis.com/antiphon.events.v1.Event", "type.googleapis.com/None", "/")


def spoil(message: Message, rng: random.Random) -> None:
    """Change one field somewhere in the message, or in a message under it."""
    while True:
        fields = fields_of(message)
        if not fields:
            return
        field = rng.choice(fields)
        below = _below(message, field)
        if below and rng.random() < 0.7:
            message = rng.choice(below)
            continue
        _spoil_field(message, field, rng)
        return


def _below(message: Message, field: FieldDescriptor) -> list[Message]:
    if field.message_type is None or is_map(field):
        return []
    value: Any = getattr(message, field.name)
    if field.is_repeated:
        return list(value)
    return [value] if message.HasField(field.name) else []


def _spoil_field(message: Message, field: FieldDescriptor, rng: random.Random) -> None:
    if rng.random() < 0.1:
        message.ClearField(field.name)
    elif is_map(field):
        return
    elif field.is_repeated:
        _spoil_list(getattr(message, field.name), field, rng)
    elif field.message_type is not None:
        _spoil_message(getattr(message, field.name), rng)
    else:
        setattr(message, field.name, values.scalar(field, rng))


def _spoil_message(message: Message, rng: random.Random) -> None:
    message.SetInParent()
    name = message.DESCRIPTOR.full_name
    if name == ANY or name in ("google.protobuf.Duration", "google.protobuf.Timestamp"):
        for field in fields_of(message):
            setattr(message, field.name, values.scalar(field, rng))
        if name == ANY:
            message.type_url = rng.choice(TYPES)  # type: ignore[attr-defined]


def _spoil_list(items: Any, field: FieldDescriptor, rng: random.Random) -> None:
    many = values.count(rng)
    if field.message_type is not None:
        made = [items[0]] if items else [message_factory.GetMessageClass(field.message_type)()]
        if many * made[0].ByteSize() > MOST_ITEMS:
            many = 40
        copies = [made[0].__class__.FromString(made[0].SerializeToString()) for _ in range(many)]
    elif items and rng.random() < 0.5:
        copies = [items[0]] * (many if len(str(items[0])) < 100 else 3)
    else:
        item = values.scalar(field, rng)
        copies = [item] * (many if not isinstance(item, str | bytes) or len(item) < 100 else 3)
    del items[:]
    items.extend(copies)


def garble(data: bytes, other: bytes, rng: random.Random) -> bytes:
    """Spoil a serialised message; ``other`` is one to splice with."""
    for _ in range(rng.choice((1, 1, 1, 2, 4))):
        data = rng.choice(_WAYS)(data, other, rng)
    return data


def _flip(data: bytes, _other: bytes, rng: random.Random) -> bytes:
    if not data:
        return rng.randbytes(1)
    changed = bytearray(data)
    at = rng.randrange(len(changed))
    changed[at] ^= 1 << rng.randrange(8)
    return bytes(changed)


def _cut(data: bytes, _other: bytes, rng: random.Random) -> bytes:
    return data[: rng.randrange(len(data) + 1)]


def _splice(data: bytes, other: bytes, rng: random.Random) -> bytes:
    return data[: rng.randrange(len(data) + 1)] + other[rng.randrange(len(other) + 1) :]


def _insert(data: bytes, _other: bytes, rng: random.Random) -> bytes:
    at = rng.randrange(len(data) + 1)
    return data[:at] + rng.randbytes(rng.choice((1, 2, 4, 8))) + data[at:]


def _repeat(data: bytes, _other: bytes, rng: random.Random) -> bytes:
    at, to = sorted((rng.randrange(len(data) + 1), rng.randrange(len(data) + 1)))
    return data[:to] + data[at:to] * rng.choice((1, 2, 10)) + data[to:]


def _remove(data: bytes, _other: bytes, rng: random.Random) -> bytes:
    at, to = sorted((rng.randrange(len(data) + 1), rng.randrange(len(data) + 1)))
    return data[:at] + data[to:]


def _overlong(data: bytes, _other: bytes, rng: random.Random) -> bytes:
    """A number of more bytes than it needs, or than a number may have."""
    at = rng.randrange(len(data) + 1)
    return data[:at] + b"\x80" * rng.choice((1, 5, 9, 10, 11)) + b"\x01" + data[at:]


def _unknown(data: bytes, _other: bytes, rng: random.Random) -> bytes:
    """A field that no contract has; or number 0, which is none."""
    tag = rng.choice((b"\x00", b"\x07", b"\xfa\xff\xff\xff\x0f", b"\xf8\x7f", b"\x0e"))
    return data + tag + rng.randbytes(rng.choice((0, 1, 4, 8)))


def _nest(data: bytes, _other: bytes, rng: random.Random) -> bytes:
    """Groups in groups, or messages in messages, beyond what a parser takes."""
    if rng.random() < 0.5:
        return data + b"\x0b" * DEEP + (b"\x0c" * DEEP if rng.random() < 0.5 else b"")
    inner = b""
    tag = bytes([rng.randrange(1, 16) << 3 | 2])
    for _ in range(40):
        inner = tag + _length(len(inner)) + inner
    return data + inner


def _misspell(data: bytes, _other: bytes, rng: random.Random) -> bytes:
    """Text that is no UTF-8."""
    bad = rng.choice((b"\xff\xfe", b"\xc0\x80", b"\xed\xa0\x80", b"\xf4\x90\x80\x80"))
    return data + bytes([rng.randrange(1, 9) << 3 | 2, len(bad)]) + bad


def _length(number: int) -> bytes:
    out = bytearray()
    while number > 0x7F:
        out.append(number & 0x7F | 0x80)
        number >>= 7
    return bytes([*out, number])


_WAYS = (
    _flip,
    _flip,
    _flip,
    _cut,
    _splice,
    _insert,
    _repeat,
    _remove,
    _overlong,
    _unknown,
    _nest,
    _misspell,
)
