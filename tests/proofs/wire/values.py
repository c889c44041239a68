"""Values that break things: for every type of field, what a careless program trips over."""

import random
from typing import Any

from google.protobuf.descriptor import FieldDescriptor

NAN = float("nan")
INF = float("inf")
INT32 = (0, 1, -1, 2, 100, 101, 1000, 1001, 2**31 - 1, -(2**31))
INT64 = (*INT32, 2**31, 2**53, 2**53 + 1, 2**63 - 1, -(2**63), -(2**63) + 1)
UNSIGNED = (0, 1, 2**31, 2**32 - 1)
FLOATS = (0.0, -0.0, 1.0, 2.0, 2.0000001, -1.0, NAN, INF, -INF, 5e-324, 1.7e308, -1.7e308)
ENUMS = (0, 1, 2, 3, 99, -1, 2**31 - 1, -(2**31))
COUNTS = (0, 1, 2, 8, 9, 32, 33, 256, 257, 1000)
HUGE_COUNTS = (10_000, 10_001, 50_000)
SIZES = (63, 64, 65, 128, 129, 256, 257, 512, 513, 1024, 1025, 8192, 8193, 32_768, 32_769)
HUGE_SIZES = (100_000, 1_000_000, 4 << 20)
IDS = ("conv", "ws", "user", "turn", "sess", "key", "msg", "call", "svc")
TEXTS = (
    "",
    " ",
    "\0",
    "a\0b",
    "\n",
    "\r\n",
    "\ufeff",
    "\u202eabc",  # written from right to left
    "e\u0301",  # two characters, one letter
    "\u00e9",  # the same letter
    "\u0130\u0131",  # change their length in lower case
    "\u200b\u200d\u2060",  # not seen
    "\U0001f468\u200d\U0001f469\u200d\U0001f467",
    "\U0010ffff",
    "\ufffe\uffff",
    "\u1f88\ufb03\u017f",  # grow or change when folded
    "Z\u0351\u036b\u0343\u032a\u0302" * 20,
    "..",
    "../../../../etc/passwd",
    "%s%n%x%d",
    "{0}{reason}{__class__}",
    "${jndi:ldap://x}",
    "' OR 1=1 --",
    "'; DROP TABLE events; --",
    "<script>alert(1)</script>",
    "\x1b[2J\x1b]0;x\x07",
    "global",
    "conversations/",
    "conversations/global",
    "users/user_00000000/../x",
    "null",
    "true",
    "-1",
    "1e999",
    "0x10",
    "9" * 40,
    "AAAA",
    "=" * 8,
    "00000000-0000-0000-0000-000000000000",
    "Bearer x",
)


def text(rng: random.Random) -> str:
    """Any text, from the empty one to 4 MiB; large ones are rare."""
    chance = rng.random()
    if chance < 0.6:
        return rng.choice(TEXTS)
    if chance < 0.75:
        return f"{rng.choice(IDS)}_{rng.choice(('', '0', '00000000', 'x' * 64, 'x' * 65, 'ä' * 8))}"
    if chance < 0.99:
        return rng.choice(("x", "ä", "\U0001f600")) * rng.choice(SIZES)
    if chance < 0.9995:
        return rng.choice(("x", "ä")) * HUGE_SIZES[0]
    return "x" * rng.choice(HUGE_SIZES)


def count(rng: random.Random) -> int:
    """How many items a list gets."""
    return rng.choice(COUNTS) if rng.random() < 0.995 else rng.choice(HUGE_COUNTS)


def scalar(field: FieldDescriptor, rng: random.Random) -> Any:
    """A value of the field's type that may well break the contract's rules."""
    kind = FieldDescriptor
    match field.type:
        case kind.TYPE_STRING:
            return text(rng)
        case kind.TYPE_BYTES:
            return text(rng).encode()
        case kind.TYPE_BOOL:
            return rng.random() < 0.5
        case kind.TYPE_ENUM:
            return rng.choice(ENUMS)
        case kind.TYPE_DOUBLE | kind.TYPE_FLOAT:
            return rng.choice(FLOATS)
        case kind.TYPE_INT32 | kind.TYPE_SINT32 | kind.TYPE_SFIXED32:
            return rng.choice(INT32)
        case kind.TYPE_UINT32 | kind.TYPE_UINT64 | kind.TYPE_FIXED32 | kind.TYPE_FIXED64:
            return rng.choice(UNSIGNED)
    return rng.choice(INT64)
