"""Values of enums in files: "block" for FILTER_ACTION_BLOCK."""

from collections.abc import Callable
from typing import Any

from google.protobuf.descriptor import Descriptor, EnumDescriptor, FieldDescriptor

from antiphon_server.cli.console import fail, in_a_line


def names_of(enum: EnumDescriptor) -> list[str]:
    """The short names of its values, without the one that says nothing."""
    return [short(enum, it.name) for it in enum.values if it.number]


def one_of(option: str, enum: Any, word: str) -> str:
    """The contract's name of a value that an option names; ends the command if there is none."""
    known = names_of(enum)
    value = word.replace("-", "_")
    if value not in known:
        fail(f"{option} {in_a_line(word)}: write one of {', '.join(known)}", 2)
    return _prefix(enum) + value.upper()


def short(enum: EnumDescriptor, name: str) -> str:
    """A value's name without what all names of its enum begin with."""
    return name.removeprefix(_prefix(enum)).lower()


def in_short(message: Descriptor, told: dict[str, Any]) -> dict[str, Any]:
    """The same message of JSON, with short names of values, and large numbers as numbers."""
    return _spelled(message, told, short)


def in_full(message: Descriptor, told: dict[str, Any]) -> dict[str, Any]:
    """The same message, with the names that the contract has."""
    return _spelled(message, told, lambda enum, name: _prefix(enum) + name.upper())


def in_words(message: Descriptor, sentence: str) -> str:
    """A sentence with short names in place of those that the contract has of values."""
    for enum in (it.enum_type for it in message.fields if it.enum_type):
        for name in sorted((it.name for it in enum.values), key=len, reverse=True):
            sentence = sentence.replace(name, short(enum, name))
    return sentence


def _prefix(enum: EnumDescriptor) -> str:
    nothing: str = enum.values_by_number[0].name
    return nothing.removesuffix("UNSPECIFIED")


def _spelled(
    message: Descriptor, told: dict[str, Any], spell: Callable[[EnumDescriptor, str], str]
) -> dict[str, Any]:
    found = dict(told)
    for key, value in told.items():
        field = message.fields_by_name[key]
        if enum := field.enum_type:
            many = isinstance(value, list)
            found[key] = [spell(enum, it) for it in value] if many else spell(enum, value)
        elif field.cpp_type == FieldDescriptor.CPPTYPE_INT64:
            found[key] = int(value)  # JSON has them as texts
        elif isinstance(value, dict) and (inner := _message(field)) is not None:
            found[key] = _spelled(inner, value, spell)
    return found


def _message(field: FieldDescriptor) -> Descriptor | None:
    """What it has, if that is a message of its own and no map."""
    inner = field.message_type
    return None if inner is None or inner.GetOptions().map_entry else inner
