"""JSON Schema of messages, as protobuf's JSON mapping spells them (protobuf.dev, ProtoJSON)."""

import json
from collections import deque
from collections.abc import Iterator
from typing import Any

from google.protobuf.descriptor import Descriptor, FieldDescriptor

from antiphon_server.integration.connections.adapters.grpc_calls.comments import Comments

MOST_LETTERS = 32 * 1024
"""Of one schema. What does not fit is an object of anything, from the farthest messages on."""
MOST_IN_ALL = 8 * 1024 * 1024
"""Letters of all schemas of a server: some describe the same in a thousand ways."""
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


def schema_of(
    message: Descriptor, comments: Comments, *, listed: str = "", most: int = MOST_LETTERS
) -> str:
    """The schema of a message's JSON, in about ``most`` letters; of an object with a list of such
    as ``listed`` if given.
    """
    return json.dumps(_Shapes(message, comments, min(most, MOST_LETTERS)).schema(listed))


def _well_known(message: Descriptor) -> Schema | None:
    if not message.full_name.startswith("google.protobuf."):
        return None
    return _WELL_KNOWN.get(message.name)


class _Shapes:
    """Puts one schema together: the messages that it leads to, the nearest first, each once."""

    def __init__(self, root: Descriptor, comments: Comments, most: int) -> None:
        self._root, self._comments = root, comments
        self._next: deque[Descriptor] = deque()
        self._defined: dict[str, Schema] = {}
        self._left = most

    def schema(self, listed: str) -> Schema:
        schema = self._top(listed)
        while self._next:
            message = self._next.popleft()
            self._defined[message.full_name] = self._fitting(message)
        return {**schema, "$defs": self._defined} if self._defined else schema

    def _top(self, listed: str) -> Schema:
        if listed:
            items = {"type": "array", "items": self._of(self._root)}
            return {"type": "object", "required": [listed], "properties": {listed: items}}
        if is_object(self._root):
            return _well_known(self._root) or self._fitting(self._root)
        value = self._of(self._root)
        return {"type": "object", "required": ["value"], "properties": {"value": value}}

    def _fitting(self, message: Descriptor) -> Schema:
        """A message as an object; of anything, where there is no room for its fields."""
        waiting = len(self._next)
        made = self._object(message)
        size = len(json.dumps(made))
        if size <= self._left:
            self._left -= size
            return made
        while len(self._next) > waiting:
            del self._defined[self._next.pop().full_name]
        return {"type": "object", "description": f"{message.full_name}, whose fields are not shown"}

    def _object(self, message: Descriptor) -> Schema:
        fields = list(message.fields)
        made: Schema = {
            "type": "object",
            "properties": {it.json_name: self._field(it) for it in fields},
            "additionalProperties": False,
        }
        if said := self._comments.get(message.full_name):
            made["description"] = said
        if required := [it.json_name for it in fields if it.is_required]:
            made["required"] = required
        if exclusive := dict(_exclusive(message)):
            made["dependentSchemas"] = exclusive
        return made

    def _field(self, field: FieldDescriptor) -> Schema:
        kind: Any = field.message_type
        if kind is not None and kind.GetOptions().map_entry:
            values = self._single(kind.fields_by_name["value"])
            made: Schema = {"type": "object", "additionalProperties": values}
        elif field.is_repeated:
            made = {"type": "array", "items": self._single(field)}
        else:
            made = self._single(field)
        said = self._comments.get(field.full_name)
        return {**made, "description": said} if said else made

    def _single(self, field: FieldDescriptor) -> Schema:
        if field.message_type is not None:
            return self._of(field.message_type)
        if field.enum_type is not None:
            return _enum(field)
        if field.type == FieldDescriptor.TYPE_BYTES:
            return _BYTES
        return _SCALARS[field.cpp_type]

    def _of(self, message: Descriptor) -> Schema:
        """A message where it is used: what protobuf knows itself, or a reference."""
        known = _well_known(message)
        if known is not None:
            return known
        if message.full_name not in self._defined:
            self._defined[message.full_name] = {}
            self._next.append(message)
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
