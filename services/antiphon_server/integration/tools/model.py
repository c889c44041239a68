"""Tools, calls, and what comes of them."""

import asyncio
import hashlib
import json
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from dataclasses import asdict, dataclass
from enum import IntEnum
from functools import cached_property
from typing import Literal, NewType, TypeAlias

from antiphon_server.integration.ledger.model import Money, Payer, WorkspaceId
from antiphon_server.integration.tools.questions import Attendance

ToolName = NewType("ToolName", str)
"""`source.tool`."""
SourceName = NewType("SourceName", str)
ToolCallId = NewType("ToolCallId", str)
Digest = NewType("Digest", bytes)
"""SHA-256 of a definition, or of that and where calls go."""
Json: TypeAlias = "bool | int | float | str | list[Json] | dict[str, Json] | None"
PartKind: TypeAlias = Literal["text", "image", "audio", "file"]


class Rule(IntEnum):
    """Whether a tool may be called in a workspace. Values are those of the contract's ToolRule."""

    UNSPECIFIED = 0
    ALWAYS = 1
    ASK = 2
    NEVER = 3


@dataclass(frozen=True, slots=True)
class Said:
    """What a workspace says of a tool: whether it may be called, and what a call costs."""

    rule: Rule = Rule.UNSPECIFIED
    price: Money | None = None


NOTHING_SAID = Said()


class State(IntEnum):
    """Whether a tool can be called now. Values are those of the contract's ToolState."""

    AVAILABLE = 1
    HELD = 2
    AWAY = 3


@dataclass(frozen=True, slots=True)
class Annotations:
    """What a source says of its tool; nothing vouches for it."""

    read_only: bool = False
    destructive: bool = False
    idempotent: bool = False
    open_world: bool = True


@dataclass(frozen=True)
class Definition:
    """A tool as its source describes it. Schemas are JSON Schema 2020-12, as JSON."""

    name: ToolName
    description: str
    input_schema: str
    output_schema: str = ""
    title: str = ""
    annotations: Annotations = Annotations()

    @property
    def canonical(self) -> str:
        """All of it as JSON, the same however its source has spelled it (as in RFC 8785)."""
        told = asdict(self)
        told["input_schema"] = _canonical(self.input_schema)
        told["output_schema"] = _canonical(self.output_schema)
        return _spelled(told)

    @cached_property
    def digest(self) -> Digest:
        """The digest of :attr:`canonical`: a tool with another one is another tool."""
        return Digest(hashlib.sha256(self.canonical.encode()).digest())


def _canonical(schema: str) -> str:
    try:
        return _spelled(json.loads(schema)) if schema else ""
    except (ValueError, RecursionError):
        return schema


def _spelled(value: Json) -> str:
    return json.dumps(value, sort_keys=True, separators=(",", ":"))


@dataclass(frozen=True, slots=True)
class Caller:
    """For whom a tool is called: who pays, and where it was asked for; "" where it was not.

    ``models`` are those that the turn asks; ``attempt`` is which of the turn's attempts it is.
    """

    workspace_id: str
    conversation_id: str = ""
    turn_id: str = ""
    models: tuple[str, ...] = ()
    attempt: int = 0
    user_id: str = ""
    api_keys: tuple[str, ...] = ()

    @property
    def payer(self) -> Payer:
        """Who pays."""
        where = WorkspaceId(self.workspace_id), self.conversation_id, self.turn_id
        return Payer(*where, self.user_id, self.api_keys)


@dataclass(frozen=True, slots=True)
class Call:
    """A call; its id is the idempotency key for tools that take one.

    ``attendance`` are the people whom it may ask; None if there is nobody, and all is declined.
    ``begins`` is called when all is ready and before anything is sent; it raises DomainError
    DRAINING if the call's turn may be another server's by then. ``timed_out`` says of a call that
    is being cancelled whether a limit of this server does it, and not its caller.
    """

    call_id: ToolCallId
    tool: ToolName
    arguments: dict[str, Json]
    caller: Caller
    attendance: Attendance | None = None
    begins: Callable[[], None] = lambda: None
    timed_out: Callable[[], bool] = lambda: False

    def limit(self, seconds: float) -> AbstractAsyncContextManager[asyncio.Timeout]:
        """As :func:`asyncio.timeout`, without the time in which people are asked."""
        there = self.attendance
        return asyncio.timeout(seconds) if there is None else there.limit(seconds)

    def place(self, places: asyncio.Semaphore) -> AbstractAsyncContextManager[object]:
        """One of the ``places``, but not while people are asked."""
        there = self.attendance
        return places if there is None else there.place(places)


@dataclass(frozen=True, slots=True)
class ResultPart:
    """A piece of a result: ``content`` is the text itself, or a URI of something else.

    Data that was sent along is a `data:` URI, as long as the result is on its way here.
    """

    kind: PartKind
    content: str
    media_type: str = ""


@dataclass(frozen=True, slots=True)
class Result:
    """What a tool returned. ``structured`` is its result by its output schema, if it has one.

    ``failed`` is what the tool itself says: then ``parts`` tell why.
    """

    parts: tuple[ResultPart, ...]
    structured: Json = None
    failed: bool = False
    omitted_bytes: int = 0
    kept: bool = False
    """Whether the whole of it is kept beside."""
    http_status: int = 0
    """By which a service over HTTP says that it failed: 400 and more; else 0."""


@dataclass(frozen=True, slots=True)
class KeptPart:
    """A part of a result that is kept: all its bytes, of a text those of UTF-8."""

    kind: PartKind
    media_type: str
    data: bytes


@dataclass(frozen=True, slots=True)
class Piece:
    """Some bytes of a part that is kept, with what is known of the whole."""

    kind: PartKind
    media_type: str
    data: bytes
    size: int
    parts: int
    """How many parts its result has."""
