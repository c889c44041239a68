"""What of a table is not as a message of the contract has it, in words."""

import re
from typing import Any

from google.protobuf.descriptor import Descriptor, FieldDescriptor

from antiphon_server.cli.rules.spelling import names_of

_DURATION = "google.protobuf.Duration"
_SECONDS = re.compile(r"[0-9]{1,9}(\.[0-9]{1,9})?s")
_KINDS: dict[int, tuple[type | tuple[type, ...], str]] = {
    FieldDescriptor.CPPTYPE_STRING: (str, 'a text: "…"'),
    FieldDescriptor.CPPTYPE_INT32: (int, "a whole number"),
    FieldDescriptor.CPPTYPE_INT64: (int, "a whole number"),
    FieldDescriptor.CPPTYPE_DOUBLE: ((int, float), "a number"),
    FieldDescriptor.CPPTYPE_BOOL: (bool, "true or false"),
    FieldDescriptor.CPPTYPE_MESSAGE: (dict, "a table: { … }"),
}


def fault_of(message: Descriptor, value: Any, path: str = "", owner: str = "a rule") -> str:
    """The first thing that is wrong, empty if nothing is; ``path`` is where it stands."""
    if not isinstance(value, dict):
        return f"{path or 'it'} has to be a table: {{ … }}"
    where = f"{path}." if path else ""
    for key, told in value.items():
        field = message.fields_by_name.get(key)
        if field is None:
            known = ", ".join(it.name for it in message.fields) or "none"
            return f"there is no field {where}{key}; {path or owner} has {known}"
        if fault := _fault(field, told, where + key):
            return fault
    return ""


def _fault(field: FieldDescriptor, told: Any, path: str) -> str:
    if field.message_type and field.message_type.GetOptions().map_entry:
        if isinstance(told, dict) and all(isinstance(it, str) for it in told.values()):
            return ""
        return f'{path} has to be a table of texts: {{ key = "…" }}'
    if field.is_repeated:
        if isinstance(told, list) and all(_is(field, it) for it in told):
            return ""
        return f"{path} has to be a list, and each of it {_words(field)}"
    if not _is(field, told):
        return f"{path} has to be {_words(field)}"
    if field.message_type and isinstance(told, dict):
        return fault_of(field.message_type, told, path)
    return ""


def _words(field: FieldDescriptor) -> str:
    if field.enum_type:
        return f"one of {', '.join(names_of(field.enum_type))}"
    if _is_duration(field):
        return 'a number of seconds: "0.5s"'
    return _KINDS[field.cpp_type][1]


def _is(field: FieldDescriptor, value: Any) -> bool:
    if field.enum_type:
        return isinstance(value, str) and value in names_of(field.enum_type)
    if _is_duration(field):
        return isinstance(value, str) and _SECONDS.fullmatch(value) is not None
    kind, _ = _KINDS[field.cpp_type]
    return isinstance(value, kind) and isinstance(value, bool) == (kind is bool)


def _is_duration(field: FieldDescriptor) -> bool:
    return field.message_type is not None and field.message_type.full_name == _DURATION
