"""What people might have said: turns of hand-written conversations, with rarer words in them."""

import itertools
import random
import re
import secrets
import time
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

from antiphon.context.v1.message_pb2 import MESSAGE_ROLE_USER, Message
from antiphon.events.v1.event_pb2 import Event, MessagePosted
from antiphon_server.context.adapters.sql import SqlStore
from antiphon_server.context.model.resources import ConversationId, ResourceId
from antiphon_server.context.ports import Records
from antiphon_server.events.adapters.sql import SqlLogStore
from antiphon_server.events.encoding import new_event
from antiphon_server.events.model import Append, NewEvent, Scope
from antiphon_server.runtime.encoding.ids import new_id
from antiphon_server.runtime.storage.database import Database
from tests.proofs.bench.processes import ROOT

HOUR_US = 3600 * 1_000_000
_TURN = re.compile(r"^T\d+ [^:]+: (.+)$", re.M)
_FOLDER = ROOT / "tests" / "proofs" / "recall" / "data"
_SYLLABLES = [a + b for a, b in itertools.product("bdfgklmnprstvz", "aeiou")]
_RARE = 50_000


def texts(seed: int = 1) -> Iterator[str]:
    """Endless turns in four languages; each ends with a word or two of 50,000, by Zipf's law."""
    chance = random.Random(seed)
    turns = [turn for file in _files() for turn in _TURN.findall(file.read_text())]
    while True:
        rare = (_word(int(chance.paretovariate(0.6)) % _RARE) for _ in range(chance.randint(1, 2)))
        yield " ".join((chance.choice(turns), *rare))


def queries(count: int, seed: int = 2) -> list[str]:
    """Searches as people type them: some words of a turn, often with a rarer one."""
    chance, found = random.Random(seed), []
    for text in itertools.islice(texts(seed), count):
        words = re.findall(r"\w{4,}", text)
        found.append(" ".join(chance.sample(words, min(len(words), chance.randint(1, 5)))))
    return found


async def fill(database: Database, like: str, conversations: int, messages: int) -> None:
    """Conversations as ``like`` one, of its owner, with so many messages in all their logs."""
    store, logs = SqlStore(database), SqlLogStore(database)
    names = [ConversationId(new_id("conv")) for _ in range(conversations)]
    author = await store.write(lambda records: _copies(records, like, names))
    said, each = texts(), messages // conversations
    for name in names:
        scope = Scope(f"conversations/{name}")
        begun = int(time.time() * 1e6) - each * HOUR_US
        for at in range(0, each, 100):
            posted = [_posted(scope, author, next(said)) for _ in range(min(100, each - at))]
            await logs.append([Append(scope, posted, time_us=begun + at * HOUR_US)])


def _files() -> Sequence[Path]:
    return sorted(_FOLDER.glob("*.txt"))


def _word(number: int) -> str:
    word = ""
    while number or not word:
        number, at = divmod(number, len(_SYLLABLES))
        word += _SYLLABLES[at]
    return word + "x"


def _posted(scope: Scope, author: str, text: str) -> NewEvent:
    message = Message(message_id=f"msg_{secrets.token_hex(10)}", author=author)
    message.role = MESSAGE_ROLE_USER
    message.conversation_id = scope.partition("/")[2]
    message.parts.add(text=text)
    return new_event(scope, Event(message_posted=MessagePosted(message=message)))


def _copies(records: Records, like: str, names: Sequence[ConversationId]) -> str:
    original = records.conversations.get(ConversationId(like))
    assert original is not None
    (owner,) = records.members.list_of(ResourceId(like), None, 1)
    for age, name in enumerate(names, 1):
        create_us = original.create_us - age * 1000
        records.conversations.add(
            replace(original, conversation_id=name, create_us=create_us, activity_us=create_us)
        )
        records.members.add(replace(owner, resource=ResourceId(name)), create_us)
    return f"users/{owner.user_id}"
