"""What of a table is not as a message of the contract has it, in words."""

from typing import Any

from google.protobuf.descriptor import Descriptor, FieldDescriptor

_KINDS: dict[int, tuple[type | tuple[type, ...], str]] = {
    FieldDescriptor.CPPTYPE_STRING: (str, 'a text: "…"'),
    FieldDescriptor.CPPTYPE_INT32: (int, "a whole number"),
    FieldDescriptor.CPPTYPE_INT64: (int, "a whole number"),
    FieldDescriptor.CPPTYPE_DOUBLE: ((int, float), "a number"),
    FieldDescriptor.CPPTYPE_MESSAGE: (dict, "a table: { … }"),
}


def fault_of(message: Descriptor, value: Any, path: str = "") -> str:
    """The first thing that is wrong, empty if nothing is; ``path`` is where it stands."""
    if not isinstance(value, dict):
        return f"{path or 'it'} has to be a table: {{ … }}"
    where = f"{path}." if path else ""
    for key, told in value.items():
        field = message.fields_by_name.get(key)
        if field is None:
            known = ", ".join(it.name for it in message.fields)
            return f"there is no field {where}{key}; {path or 'a rule'} has {known}"
        if fault := _fault(field, told, where + key):
            return fault
    return ""


def _fault(field: FieldDescriptor, told: Any, path: str) -> str:
    if field.message_type and field.message_type.GetOptions().map_entry:
        if isinstance(told, dict) and all(isinstance(it, str) for it in told.values()):
            return ""
        return f'{path} has to be a table of texts: {{ key = "…" }}'
    if field.is_repeated:
        _, words = _KINDS[field.cpp_type]
        if isinstance(told, list) and all(_is(field, it) for it in told):
            return ""
        return f"{path} has to be a list, and each of it {words}"
    if not _is(field, told):
        return f"{path} has to be {_KINDS[field.cpp_type][1]}"
    return fault_of(field.message_type, told, path) if field.message_type else ""


def _is(field: FieldDescriptor, value: Any) -> bool:
    kind, _ = _KINDS[field.cpp_type]
    return isinstance(value, kind) and not isinstance(value, bool)
