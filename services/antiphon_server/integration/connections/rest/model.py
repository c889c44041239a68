"""What a service over HTTP is made of."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal, TypeAlias

from antiphon_server.integration.tools.model import Definition, ToolName

Where: TypeAlias = Literal["path", "query", "header"]
JSON, FORM, MULTIPART, TEXT = (
    "application/json",
    "application/x-www-form-urlencoded",
    "multipart/form-data",
    "text/plain",
)


@dataclass(frozen=True, slots=True)
class Parameter:
    """How the argument ``argument`` is sent: as ``name``, in its place.

    A list is repeated if ``separator`` is "", and else joined by it. ``deep`` writes an object's
    members as `name[member]`, ``exploded`` as if each were a parameter. ``as_json`` sends any
    value as JSON.
    """

    argument: str
    name: str
    where: Where
    separator: str = ","
    exploded: bool = False
    deep: bool = False
    as_json: bool = False


@dataclass(frozen=True, slots=True)
class Body:
    """The argument that is sent as the body, and as what."""

    argument: str
    media_type: str


@dataclass(frozen=True, slots=True)
class Operation:
    """An operation; ``path`` is a template as in the document, ``accept`` what it answers with."""

    method: str
    path: str
    parameters: tuple[Parameter, ...] = ()
    body: Body | None = None
    accept: str = "*/*"
    keyed: bool = False
    """Whether the call's id is sent as its Idempotency-Key."""


@dataclass(frozen=True, slots=True)
class Api:
    """A service: where it is, and its operations as tools. So many more were ``left_out``."""

    base_url: str
    operations: Mapping[ToolName, Operation]
    definitions: Mapping[ToolName, Definition]
    left_out: int = 0
