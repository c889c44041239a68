"""The contract of notes, made by hand where others are generated from ``proto/``."""

from typing import Any

from google.protobuf import descriptor_pool
from google.protobuf.descriptor import FileDescriptor
from google.protobuf.descriptor_pb2 import FieldDescriptorProto, FileDescriptorProto
from google.protobuf.message_factory import GetMessageClass

from antiphon.auth.v1 import access_pb2

SERVICE = "antiphon.notes.v1.NoteService"
ADD = f"/{SERVICE}/AddNote"


def declared(package: str, access: access_pb2.Access | None) -> FileDescriptor:
    """NoteService in that package; whoever has ``access`` may call it."""
    file = FileDescriptorProto(
        name=f"{package.replace('.', '/')}/note_service.proto",
        package=package,
        syntax="proto3",
        dependency=["antiphon/auth/v1/access.proto"],
    )
    request = file.message_type.add(name="AddNoteRequest")
    request.field.add(name="text", number=1, type=FieldDescriptorProto.TYPE_STRING)
    response = file.message_type.add(name="AddNoteResponse")
    response.field.add(name="notes", number=1, type=FieldDescriptorProto.TYPE_INT32)
    response.field.add(name="last_offset", number=2, type=FieldDescriptorProto.TYPE_INT64)
    method = file.service.add(name="NoteService").method.add(
        name="AddNote",
        input_type=f".{package}.AddNoteRequest",
        output_type=f".{package}.AddNoteResponse",
    )
    if access is not None:
        method.options.Extensions[access_pb2.access].CopyFrom(access)
    pool = descriptor_pool.Default()
    pool.Add(file)
    found: FileDescriptor = pool.FindFileByName(file.name)
    return found


ANYBODY = access_pb2.Access(
    permission=access_pb2.PERMISSION_AUTHENTICATED, scope=access_pb2.SCOPE_WRITE
)
FILE = declared("antiphon.notes.v1", ANYBODY)
UNDECLARED = declared("antiphon.open.v1", None)
Request: Any = GetMessageClass(FILE.message_types_by_name["AddNoteRequest"])
Response: Any = GetMessageClass(FILE.message_types_by_name["AddNoteResponse"])
