"""JSON Schema of messages, as protobuf's JSON mapping spells them (protobuf.dev, ProtoJSON)."""

import json
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from google.protobuf.descriptor import Descriptor, FieldDescriptor

from antiphon_server.integration.connections.adapters.grpc_calls.comments import Comments

MOST_LETTERS = 32 * 1024
"""Of one schema. What does not fit is an object of anything, from the farthest messages on."""
MOST_IN_ALL = 6 * 1024 * 1024
"""Letters of all schemas of a server: some describe the same in a thousand ways.

Fewer than a source may say in all: schemas are shortened before tools are left out.
"""
SHORTEST = 10
"""Letters of a field, at least: what has too many fields is not even looked at."""
MOST_VALUES = 100
MOST_EXCLUSIVE = 12
Schema = dict[str, Any]

_NUMBER = {"anyOf": [{"type": "number"}, {"enum": ["NaN", "Infinity", "-Infinity"]}]}
_LONG: Schema = {"type": ["string", "integer"], "pattern": "^-?[0-9]+$"}
_SCALARS: dict[int, Schema] = {
    FieldDescriptor.CPPTYPE_BOOL: {"type": "boolean"},
    FieldDescriptor.CPPTYPE_DOUBLE: _NUMBER,
    FieldDescriptor.CPPTYPE_FLOAT: _NUMBER,
    FieldDescriptor.CPPTYPE_INT32: {"type": "integer", "minimum": -(2**31), "maximum": 2**31 - 1},
    FieldDescriptor.CPPTYPE_UINT32: {"type": "integer", "minimum": 0, "maximum": 2**32 - 1},
    FieldDescriptor.CPPTYPE_INT64: _LONG,
    FieldDescriptor.CPPTYPE_UINT64: {**_LONG, "pattern": "^[0-9]+$"},
    FieldDescriptor.CPPTYPE_STRING: {"type": "string"},
}
_BYTES: Schema = {"type": "string", "contentEncoding": "base64"}
_WELL_KNOWN: dict[str, Schema] = {
    "Timestamp": {"type": "string", "format": "date-time"},
    "Duration": {"type": "string", "pattern": r"^-?[0-9]+(\.[0-9]{1,9})?s$"},
    "FieldMask": {"type": "string", "description": "names of fields, between commas"},
    "Struct": {"type": "object"},
    "Value": {},
    "ListValue": {"type": "array"},
    "Any": {"type": "object", "required": ["@type"], "properties": {"@type": {"type": "string"}}},
    "BoolValue": _SCALARS[FieldDescriptor.CPPTYPE_BOOL],
    "DoubleValue": _NUMBER,
    "FloatValue": _NUMBER,
    "Int32Value": _SCALARS[FieldDescriptor.CPPTYPE_INT32],
    "UInt32Value": _SCALARS[FieldDescriptor.CPPTYPE_UINT32],
    "Int64Value": _SCALARS[FieldDescriptor.CPPTYPE_INT64],
    "UInt64Value": _SCALARS[FieldDescriptor.CPPTYPE_UINT64],
    "StringValue": {"type": "string"},
    "BytesValue": _BYTES,
}


def is_object(message: Descriptor) -> bool:
    """Whether its JSON is an object; of what is none, tools take and give a member `value`."""
    known = _well_known(message)
    return known is None or known.get("type") == "object"


def _well_known(message: Descriptor) -> Schema | None:
    if not message.full_name.startswith("google.protobuf."):
        return None
    return _WELL_KNOWN.get(message.name)


@dataclass(frozen=True, slots=True)
class _Shape:
    """A message as an object: its schema, how many letters that has, and where it leads."""

    schema: Schema
    size: int
    leads_to: Sequence[Descriptor]


class Schemas:
    """Makes the schemas of one server's messages, each of which is looked at once."""

    def __init__(self, comments: Comments) -> None:
        self._comments = comments
        self._shapes: dict[str, _Shape] = {}
        self._made: dict[tuple[str, str], str] = {}
        self._left = MOST_IN_ALL

    def schema_of(self, message: Descriptor, *, listed: str = "") -> str:
        """The schema of a message's JSON; of an object with a list of such as ``listed`` if given.

        What there is no room for any more is an object of anything.
        """
        key = (message.full_name, listed)
        if key not in self._made:
            most = min(MOST_LETTERS, self._left)
            self._made[key] = json.dumps(_Schema(self._shape, most).of(message, listed))
            self._left = max(self._left - len(self._made[key]), 0)
        return self._made[key]

    def _shape(self, message: Descriptor) -> _Shape:
        if message.full_name not in self._shapes:
            leads_to: dict[str, Descriptor] = {}
            schema = _object(message, self._comments, leads_to)
            shape = _Shape(schema, len(json.dumps(schema)), list(leads_to.values()))
            self._shapes[message.full_name] = shape
        return self._shapes[message.full_name]


class _Schema:
    """One schema: the messages that it leads to, the nearest first, each once."""

    def __init__(self, shape: Callable[[Descriptor], _Shape], most: int) -> None:
        self._shape, self._left = shape, most
        self._next: deque[Descriptor] = deque()
        self._defined: dict[str, Schema] = {}

    def of(self, root: Descriptor, listed: str) -> Schema:
        schema = self._top(root, listed)
        while self._next:
            message = self._next.popleft()
            self._defined[message.full_name] = self._fitting(message)
        return {**schema, "$defs": self._defined} if self._defined else schema

    def _top(self, root: Descriptor, listed: str) -> Schema:
        known = _well_known(root)
        if is_object(root) and not listed:
            return known or self._fitting(root)
        if known is None:
            self._needs([root])
        value = known or _reference(root)
        member = {"type": "array", "items": value} if listed else value
        name = listed or "value"
        return {"type": "object", "required": [name], "properties": {name: member}}

    def _fitting(self, message: Descriptor) -> Schema:
        """A message as an object; of anything, where there is no room for its fields."""
        if SHORTEST * len(message.fields) <= self._left:
            shape = self._shape(message)
            if shape.size <= self._left:
                self._left -= shape.size
                self._needs(shape.leads_to)
                return shape.schema
        return {"type": "object", "description": f"{message.full_name}, whose fields are not shown"}

    def _needs(self, messages: Iterable[Descriptor]) -> None:
        for message in messages:
            if message.full_name not in self._defined:
                self._defined[message.full_name] = {}
                self._next.append(message)


def _object(message: Descriptor, comments: Comments, leads_to: dict[str, Descriptor]) -> Schema:
    fields = list(message.fields)
    made: Schema = {
        "type": "object",
        "properties": {it.json_name: _field(it, comments, leads_to) for it in fields},
        "additionalProperties": False,
    }
    if said := comments.get(message.full_name):
        made["description"] = said
    if required := [it.json_name for it in fields if it.is_required]:
        made["required"] = required
    if exclusive := dict(_exclusive(message)):
        made["dependentSchemas"] = exclusive
    return made


def _field(field: FieldDescriptor, comments: Comments, leads_to: dict[str, Descriptor]) -> Schema:
    kind: Any = field.message_type
    if kind is not None and kind.GetOptions().map_entry:
        values = _single(kind.fields_by_name["value"], leads_to)
        made: Schema = {"type": "object", "additionalProperties": values}
    elif field.is_repeated:
        made = {"type": "array", "items": _single(field, leads_to)}
    else:
        made = _single(field, leads_to)
    said = comments.get(field.full_name)
    return {**made, "description": said} if said else made


def _single(field: FieldDescriptor, leads_to: dict[str, Descriptor]) -> Schema:
    message: Any = field.message_type
    if message is not None:
        known = _well_known(message)
        if known is not None:
            return known
        leads_to[message.full_name] = message
        return _reference(message)
    if field.enum_type is not None:
        return _enum(field)
    if field.type == FieldDescriptor.TYPE_BYTES:
        return _BYTES
    return _SCALARS[field.cpp_type]


def _reference(message: Descriptor) -> Schema:
    return {"$ref": f"#/$defs/{message.full_name}"}


def _enum(field: FieldDescriptor) -> Schema:
    enum: Any = field.enum_type
    if enum.full_name == "google.protobuf.NullValue":
        return {"type": "null"}
    names = [value.name for value in enum.values[:MOST_VALUES]]
    if len(enum.values) > MOST_VALUES:
        return {"type": ["string", "integer"], "description": f"{', '.join(names)}, …"}
    # A number is one that this contract does not know yet.
    return {"anyOf": [{"enum": names}, {"type": "integer"}]}


def _exclusive(message: Descriptor) -> Iterator[tuple[str, Schema]]:
    """With a field of a oneof there is none of its others."""
    for group in message.oneofs:
        names = [field.json_name for field in group.fields]
        if 1 < len(names) <= MOST_EXCLUSIVE:
            for name in names:
                others = {it: False for it in names if it != name}
                yield name, {"properties": others}
