"""What the fuzzer knows of the world: ids, tokens, and what the server's answers gave it."""

import random
from collections import deque
from dataclasses import dataclass, field
from typing import Any

from google.protobuf.message import Message

KEPT = 64
HARVESTED = ("cursor", "head_cursor", "earliest_cursor", "previous_cursor", "next_page_token")


@dataclass(slots=True)
class Pool:
    """Ids by prefix, of the caller's own things and of others'; cursors and page tokens seen."""

    own: dict[str, list[str]] = field(default_factory=dict)
    foreign: dict[str, list[str]] = field(default_factory=dict)
    cursors: deque[str] = field(default_factory=lambda: deque(maxlen=KEPT))
    pages: deque[str] = field(default_factory=lambda: deque(maxlen=KEPT))
    tokens: list[str] = field(default_factory=list)

    def an_id(self, prefix: str, rng: random.Random) -> str:
        """An id of that kind: mostly one's own, sometimes another's or nobody's."""
        chance = rng.random()
        if chance < 0.75 and self.own.get(prefix):
            return rng.choice(self.own[prefix])
        if chance < 0.88 and self.foreign.get(prefix):
            return rng.choice(self.foreign[prefix])
        return f"{prefix}_fuzz{rng.randrange(10**4):04}"

    def a_cursor(self, rng: random.Random) -> str:
        """A cursor that was seen, whole or altered, or none."""
        return altered(self.cursors, rng)

    def a_page(self, rng: random.Random) -> str:
        """A page token that was seen, whole or altered, or none."""
        return altered(self.pages, rng)

    def learn(self, answer: Message) -> None:
        """Keep the cursors and page tokens of an answer."""
        fields: Any = answer.ListFields()
        for known, value in fields:
            if known.name in HARVESTED and isinstance(value, str):
                (self.pages if known.name == "next_page_token" else self.cursors).append(value)
            elif known.message_type is not None and not known.is_repeated:
                self.learn(value)


def altered(seen: deque[str], rng: random.Random) -> str:
    """One of those seen, with a character changed now and then; or nothing."""
    if not seen or rng.random() < 0.4:
        return ""
    value = rng.choice(seen)
    if value and rng.random() < 0.3:
        at = rng.randrange(len(value))
        value = value[:at] + rng.choice("Ab0_-=.~") + value[at + rng.randrange(2) :]
    return value
