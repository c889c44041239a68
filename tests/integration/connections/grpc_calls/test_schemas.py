"""JSON Schemas of messages: they allow what protobuf's JSON takes, and all that it gives."""

import json
from collections.abc import Mapping
from typing import Any

import pytest
from google.protobuf import text_format
from google.protobuf.descriptor_pb2 import FieldDescriptorProto as Field
from google.protobuf.descriptor_pb2 import FileDescriptorProto as File
from google.protobuf.json_format import ParseError
from jsonschema import Draft202012Validator

from antiphon_server.integration.connections.adapters.grpc_calls.files import Files
from antiphon_server.integration.connections.adapters.grpc_calls.methods import (
    Method,
    Methods,
    methods_of,
)
from antiphon_server.integration.connections.adapters.grpc_calls.schemas import (
    MOST_IN_ALL,
    MOST_LETTERS,
    MOST_VALUES,
)
from antiphon_server.integration.tools.model import Json, SourceName, ToolName

TOOL = ToolName("x.S.M")
KNOWN = "google.protobuf."
LONG, ULONG = 2**63 - 1, 2**64 - 1


def _field(kind: str, **more: Any) -> Field:
    """A field `it` of a scalar type, or of a message or enum by its full name."""
    field = Field(name="it", json_name="it", number=1, label=Field.LABEL_OPTIONAL, **more)
    if kind.startswith("TYPE_"):
        field.type = Field.Type.Value(kind)
    else:
        field.type_name = f".{kind}"
        field.type = Field.TYPE_ENUM if kind.endswith("Value0") else Field.TYPE_MESSAGE
    return field


def _asks(message: str, answers: str = "") -> File:
    """A file whose one method takes a message, and answers with the same or another one."""
    file = File(name="x.proto", syntax="proto3", package="x")
    file.dependency.extend(f"google/protobuf/{it}.proto" for it in _IMPORTS)
    service = file.service.add(name="S")
    service.method.add(name="M", input_type=f".{message}", output_type=f".{answers or message}")
    return file


_IMPORTS = ("any", "duration", "empty", "field_mask", "struct", "timestamp", "wrappers")


def _methods(file: File) -> Methods:
    files = Files()
    files.add(file.SerializeToString())
    return methods_of(SourceName("x"), ["x.S"], files)


def _method(file: File) -> tuple[Method, dict[str, Any]]:
    """The method, and the schema of its arguments, which is one."""
    found = _methods(file)
    schema = json.loads(found.told.definitions[TOOL].input_schema)
    Draft202012Validator.check_schema(schema)
    return found.by_name[TOOL], schema


def _of_field(field: Field) -> tuple[Method, dict[str, Any]]:
    file = _asks("x.Holder")
    file.message_type.add(name="Holder").field.append(field)
    return _method(file)


def _takes(method: Method, told: Mapping[str, Json]) -> bool:
    try:
        method.encoded(told)
    except (ParseError, TypeError, ValueError):
        return False
    return True


@pytest.mark.parametrize(
    ("kind", "right", "wrong"),
    [
        ("TYPE_BOOL", [True, False], ["yes", 1]),
        ("TYPE_INT32", [0, -(2**31), 2**31 - 1], [2**31, 1.5]),
        ("TYPE_SFIXED32", [-1], [2**31]),
        ("TYPE_UINT32", [0, 2**32 - 1], [-1, 2**32]),
        ("TYPE_INT64", [str(LONG), str(-LONG), 7], ["seven", 1.5, ""]),
        ("TYPE_SINT64", ["-1"], [True]),
        ("TYPE_UINT64", [str(ULONG), 7], ["-7", "1.5"]),
        ("TYPE_FIXED64", ["7"], ["-7"]),
        ("TYPE_DOUBLE", [1.5, -1, "NaN", "Infinity", "-Infinity"], ["much", True]),
        ("TYPE_FLOAT", [1.5, "NaN"], [[1.5]]),
        ("TYPE_STRING", ["", "text"], [7, ["text"]]),
        ("TYPE_BYTES", ["", "AAH/"], [7]),
        (f"{KNOWN}Timestamp", ["2026-11-24T12:00:00Z"], [1_764_000_000]),
        (f"{KNOWN}Duration", ["3s", "-0.5s", "1.000000001s"], ["3", "3m", 3]),
        (f"{KNOWN}FieldMask", ["title,displayName", ""], [["title"]]),
        (f"{KNOWN}Struct", [{"any": [1, None, {"thing": True}]}], [[1], "text"]),
        (f"{KNOWN}ListValue", [[1, "two", None]], [{"not": "a list"}]),
        (f"{KNOWN}Value", [1, "two", True, [1], {"a": 1}], []),
        (f"{KNOWN}Empty", [{}], ["text", 7]),
        (f"{KNOWN}BoolValue", [True], ["yes"]),
        (f"{KNOWN}Int32Value", [7], [2**31]),
        (f"{KNOWN}UInt32Value", [7], [-1]),
        (f"{KNOWN}Int64Value", [str(LONG), 7], ["seven"]),
        (f"{KNOWN}UInt64Value", [str(ULONG)], ["-7"]),
        (f"{KNOWN}DoubleValue", [1.5, "NaN"], ["much"]),
        (f"{KNOWN}FloatValue", [1.5], ["much"]),
        (f"{KNOWN}StringValue", ["text"], [7]),
        (f"{KNOWN}BytesValue", ["AAH/"], [7]),
    ],
)
def test_a_field_of_each_kind(kind: str, right: list[Json], wrong: list[Json]) -> None:
    """The schema says yes to what protobuf takes and gives, and no where that refuses."""
    method, schema = _of_field(_field(kind))
    valid = Draft202012Validator(schema).is_valid
    for value in right:
        assert valid({"it": value}), value
        answer: Any = method.decoded(method.encoded({"it": value}))
        assert valid(answer), answer
    for value in wrong:
        assert not valid({"it": value}), value
    assert valid(method.decoded(b""))
    assert not valid({"another": 1})


def test_a_list_and_a_map_of_each_kind_of_key() -> None:
    """Keys are text, whatever they are in the message."""
    for key, text in (("TYPE_STRING", "a"), ("TYPE_INT64", "-7"), ("TYPE_BOOL", "true")):
        file = _asks("x.Holder")
        holder = file.message_type.add(name="Holder")
        entry = holder.nested_type.add(name="ItEntry")
        entry.options.map_entry = True
        entry.field.append(_field(key))
        entry.field[0].name = entry.field[0].json_name = "key"
        entry.field.append(_field("x.Holder"))
        entry.field[1].name, entry.field[1].json_name, entry.field[1].number = "value", "value", 2
        holder.field.append(_field("x.Holder.ItEntry"))
        holder.field[0].label = Field.LABEL_REPEATED
        method, schema = _method(file)
        told: dict[str, Json] = {"it": {text: {"it": {}}}}
        assert Draft202012Validator(schema).is_valid(told)
        assert method.decoded(method.encoded(told)) == told
        assert not Draft202012Validator(schema).is_valid({"it": {text: 7}})
    repeated = _field("TYPE_UINT64")
    repeated.label = Field.LABEL_REPEATED
    method, schema = _of_field(repeated)
    assert Draft202012Validator(schema).is_valid(method.decoded(method.encoded({"it": [1, "2"]})))
    assert not Draft202012Validator(schema).is_valid({"it": 1})


def test_an_enum_by_name_and_by_a_number_to_come() -> None:
    """Other names are refused; of very many values none is checked, and the first are told."""
    for values, checked in ((3, True), (MOST_VALUES + 1, False)):
        file = _asks("x.Holder")
        enum = file.enum_type.add(name="Value0")
        for number in range(values):
            enum.value.add(name=f"V_{number}", number=number)
        file.message_type.add(name="Holder").field.append(_field("x.Value0"))
        method, schema = _method(file)
        valid = Draft202012Validator(schema).is_valid
        assert valid({"it": "V_2"})
        assert method.decoded(method.encoded({"it": 2})) == {"it": "V_2"}
        assert valid({"it": 4_000})
        assert valid(method.decoded(method.encoded({"it": 4_000})))
        assert valid({"it": "W"}) is not checked
    assert "V_99" in schema["properties"]["it"]["description"]


def test_of_a_oneof_there_is_one() -> None:
    """None will do, too; a field that says whether it is there is not one of a group."""
    file = _asks("x.Holder")
    holder = file.message_type.add(name="Holder")
    for number, name in enumerate(("a_b", "c", "d"), 1):
        field = _field("TYPE_STRING", oneof_index=0 if number < 3 else 1)
        field.name, field.number, field.json_name = name, number, "aB" if name == "a_b" else name
        holder.field.append(field)
    holder.field[2].proto3_optional = True
    holder.oneof_decl.add(name="one")
    holder.oneof_decl.add(name="_d")
    method, schema = _method(file)
    valid = Draft202012Validator(schema).is_valid
    for told in ({}, {"aB": "x"}, {"c": "x", "d": "y"}, {"aB": "x", "d": "y"}):
        assert valid(told)
        assert _takes(method, told)
    assert not valid({"aB": "x", "c": "y"})
    assert not _takes(method, {"aB": "x", "c": "y"})


def test_messages_that_lead_to_one_another() -> None:
    """Each is described once, by reference, however deep the arguments go."""
    file = _asks("x.A")
    for name, other in (("A", "B"), ("B", "A")):
        file.message_type.add(name=name).field.append(_field(f"x.{other}"))
    method, schema = _method(file)
    told: dict[str, Json] = {}
    for _ in range(40):
        told = {"it": told}
    assert Draft202012Validator(schema).is_valid(told)
    assert method.decoded(method.encoded(told)) == told
    assert not Draft202012Validator(schema).is_valid({"it": {"it": {"it": 7}}})


def test_what_is_no_object_is_the_member_value() -> None:
    """Tools take objects and give objects; a wrapper alone is none."""
    for kind, value in (("StringValue", "x"), ("Timestamp", "2026-11-24T12:00:00Z")):
        method, schema = _method(_asks(KNOWN + kind))
        assert Draft202012Validator(schema).is_valid({"value": value})
        assert not Draft202012Validator(schema).is_valid({})
        assert method.decoded(method.encoded({"value": value})) == {"value": value}
    method, schema = _method(_asks(f"{KNOWN}Struct", f"{KNOWN}Empty"))
    assert Draft202012Validator(schema).is_valid({"anything": [1]})
    assert method.decoded(b"") == {}


def test_an_any_is_told_by_its_type() -> None:
    """Of a type that the server has described; another one is refused."""
    method, schema = _of_field(_field(f"{KNOWN}Any"))
    valid = Draft202012Validator(schema).is_valid
    told: dict[str, Json] = {"it": {"@type": "type.example/x.Holder", "it": None}}
    assert valid(told)
    assert _takes(method, told)
    assert not valid({"it": {"it": 1}})
    assert not _takes(method, {"it": {"@type": "type.example/x.Nobody"}})


def test_what_has_no_room_is_an_object_of_anything() -> None:
    """The farthest messages are left out first; the schema stays short, and lets all through."""
    file = _asks("x.M0")
    for number in range(60):
        message = file.message_type.add(name=f"M{number}")
        for each in range(40):
            kind = f"x.M{number + 1}" if each == 0 and number < 59 else "TYPE_STRING"
            field = _field(kind)
            field.name = field.json_name = f"a_field_with_a_long_name_{each}"
            field.number = each + 1
            message.field.append(field)
    _, schema = _method(file)
    assert len(json.dumps(schema)) < MOST_LETTERS + 1_000
    assert "a_field_with_a_long_name_39" in schema["properties"]
    described = [it for it in schema["$defs"].values() if "properties" in it]
    assert 3 < len(described) < 59
    (cut,) = [it for it in schema["$defs"].values() if "properties" not in it]
    assert "not shown" in cut["description"]


def test_all_schemas_of_a_server_have_one_limit() -> None:
    """A web of messages is described for each method anew, until there is enough of that."""
    file = _asks("x.M0")
    del file.service[0].method[:]
    for number in range(300):
        message = file.message_type.add(name=f"M{number}")
        for each in range(20):
            field = _field(f"x.M{(number + each + 1) % 300}")
            field.name = field.json_name = f"f{each}"
            field.number = each + 1
            message.field.append(field)
        kind = f".x.M{number}"
        file.service[0].method.add(name=f"M{number}", input_type=kind, output_type=kind)
    found = _methods(file)
    letters = {name: len(it.input_schema) for name, it in found.told.definitions.items()}
    assert len(letters) == 300
    assert letters[ToolName("x.S.M0")] > MOST_LETTERS // 2
    assert letters[ToolName("x.S.M299")] < 200
    assert sum(letters.values()) < MOST_IN_ALL + 300 * 200


def test_fields_that_proto2_requires() -> None:
    """A schema says so; defaults of groups and extensions stand in nobody's way."""
    file = text_format.Parse(
        """
        name: "x.proto" package: "x" syntax: "proto2"
        message_type {
          name: "Holder"
          field { name: "must" number: 1 type: TYPE_STRING label: LABEL_REQUIRED json_name: "must" }
          field {
            name: "may" number: 2 type: TYPE_STRING label: LABEL_OPTIONAL json_name: "may"
            default_value: "so"
          }
          extension_range { start: 100 end: 200 }
        }
        service { name: "S" method { name: "M" input_type: ".x.Holder" output_type: ".x.Holder" } }
        """,
        File(),
    )
    method, schema = _method(file)
    valid = Draft202012Validator(schema).is_valid
    assert valid({"must": "x"})
    assert not valid({"may": "x"})
    answer: Any = method.decoded(method.encoded({"must": "x"}))
    assert valid(answer)
