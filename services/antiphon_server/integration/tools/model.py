"""Tools, calls, and what comes of them."""

from dataclasses import dataclass
from enum import IntEnum
from typing import Literal, NewType, TypeAlias

ToolName = NewType("ToolName", str)
"""`source.tool`."""
SourceName = NewType("SourceName", str)
ToolCallId = NewType("ToolCallId", str)
Json: TypeAlias = "bool | int | float | str | list[Json] | dict[str, Json] | None"
PartKind: TypeAlias = Literal["text", "image", "audio", "file"]


class Rule(IntEnum):
    """Whether a tool may be called in a workspace. Values are those of the contract's ToolRule."""

    UNSPECIFIED = 0
    ALWAYS = 1
    ASK = 2
    NEVER = 3


class State(IntEnum):
    """Whether a tool can be called now. Values are those of the contract's ToolState."""

    AVAILABLE = 1
    AWAY = 3


@dataclass(frozen=True, slots=True)
class Annotations:
    """What a source says of its tool; nothing vouches for it."""

    read_only: bool = False
    destructive: bool = False
    idempotent: bool = False
    open_world: bool = True


@dataclass(frozen=True, slots=True)
class Definition:
    """A tool as its source describes it. Schemas are JSON Schema 2020-12, as JSON."""

    name: ToolName
    description: str
    input_schema: str
    output_schema: str = ""
    title: str = ""
    annotations: Annotations = Annotations()


@dataclass(frozen=True, slots=True)
class Caller:
    """For whom a tool is called: who pays, and where it was asked for; "" where it was not."""

    workspace_id: str
    conversation_id: str = ""
    turn_id: str = ""


@dataclass(frozen=True, slots=True)
class Call:
    """A call; its id is the idempotency key for tools that take one."""

    call_id: ToolCallId
    tool: ToolName
    arguments: dict[str, Json]
    caller: Caller


@dataclass(frozen=True, slots=True)
class ResultPart:
    """A piece of a result: ``content`` is the text itself, or a URI of something else."""

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
