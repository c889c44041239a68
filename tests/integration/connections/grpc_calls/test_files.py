"""Descriptors from servers that mean no good."""

import pytest
from google.protobuf.descriptor_pb2 import FileDescriptorProto as File

from antiphon_server.integration.connections.adapters.grpc_calls.files import (
    MOST_OF_A_FILE,
    Files,
    Unusable,
)
from antiphon_server.integration.connections.adapters.grpc_calls.methods import methods_of
from antiphon_server.integration.tools.model import SourceName

MESSAGE, REPEATED, OPTIONAL = 11, 3, 1
SOURCE = SourceName("x")


def _files(*files: File) -> Files:
    found = Files()
    for file in files:
        found.add(file.SerializeToString())
    return found


def _service(name: str = "a.proto", methods: int = 1, package: str = "a") -> File:
    file = File(name=name, package=package, syntax="proto3")
    node = file.message_type.add(name="Node")
    field = node.field.add(name="next_one", number=1, label=OPTIONAL, type=MESSAGE)
    field.type_name = f".{package}.Node"
    service = file.service.add(name="S")
    for number in range(methods):
        kind = f".{package}.Node"
        service.method.add(name=f"M{number}", input_type=kind, output_type=kind)
    return file


def test_messages_that_contain_themselves_are_references() -> None:
    """And two services of one name have their packages in their tools' names."""
    files = _files(_service(), _service("b.proto", package="b"))
    found = methods_of(SOURCE, ["a.S", "b.S"], files)
    assert set(found.by_name) == {"x.a.S.M0", "x.b.S.M0"}
    assert '"$ref": "#/$defs/a.Node"' in found.told.definitions["x.a.S.M0"].input_schema  # type: ignore[index]


def test_many_methods_are_counted_and_a_thousand_offered() -> None:
    """What is more is left out."""
    found = methods_of(SOURCE, ["a.S"], _files(_service(methods=20_000)))
    assert len(found.told.definitions) <= 1_000
    assert len(found.told.definitions) + found.told.left_out == 20_000


@pytest.mark.parametrize(
    ("files", "why"),
    [
        ([File(name="a", dependency=["b"]), File(name="b", dependency=["a"])], "imports itself"),
        ([File(name="a", dependency=["a"])], "imports itself"),
        ([File(name="a", dependency=["gone"])], "missing"),
        ([File(name="a"), File(name="a", package="other")], "two files"),
        ([File(name="a", package="google.protobuf")], "protobuf's own"),
        ([File(name="a" * MOST_OF_A_FILE)], "larger"),
        ([File(name=f"{number}", package="p" * 1_000_000) for number in range(9)], "all files"),
        ([File(name=f"{number}") for number in range(1_025)], "more than 1,024"),
    ],
)
def test_what_can_not_be_used_is_named(files: list[File], why: str) -> None:
    """Nothing is put together of it."""
    with pytest.raises(Unusable, match=why):
        _files(*files).pool([file.name for file in files])


def test_too_many_things_in_one_file() -> None:
    """Each costs two bytes to say and a hundred to keep."""
    with pytest.raises(Unusable, match="200,000"):
        Files().add(b"\x22\x00" * 300_000)
