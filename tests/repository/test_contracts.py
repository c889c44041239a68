import importlib
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from google.protobuf.descriptor import Descriptor, FieldDescriptor, MethodDescriptor
from google.protobuf.descriptor_pb2 import FileDescriptorSet, MethodOptions

from antiphon.auth.v1 import access_pb2
from antiphon_server import installation
from antiphon_server.runtime.composition.descriptor import Descriptor as ServiceDescriptor
from buf.validate import validate_pb2
from tests.repository.files import ROOT

ON_A_RESOURCE = {
    access_pb2.PERMISSION_READ,
    access_pb2.PERMISSION_WRITE,
    access_pb2.PERMISSION_MANAGE,
    access_pb2.PERMISSION_READ_MEMBERS,
}
# What is no id of this installation's, and what was in v1 before its rule.
OTHER_IDS = {
    "auth.v1.RecordSecurityEventsRequest.request_id",  # a service's own
    "auth.v1.DecideRequest.caller_id",  # a service's name, too
    "context.v1.GetContextRequest.message_id",
    "events.v1.AppendRequest.request_id",  # a service's own
    "events.v1.AppendRequest.fold_turn_id",
    "events.v1.FoldRequest.turn_id",
    "events.v1.RedactRequest.request_id",
    "events.v1.RedactRequest.turn_ids",
    "context.v1.EraseMessagesRequest.message_ids",
    "dispatcher.v1.EraseTurnsRequest.turn_ids",
    "integration.v1.EraseToolResultsRequest.tool_call_ids",
    "integration.v1.EraseToolResultsRequest.turn_ids",
    "memory.v1.ForgetSourcesRequest.message_ids",
    "memory.v1.ForgetSourcesRequest.turn_ids",
    "events.v1.FollowRequest.follow_id",  # the client's choice
    "events.v1.UpdateFollowRequest.follow_id",
    "events.v1.CancelFollowRequest.follow_id",
    "integration.v1.GenerateRequest.user_id",
    "integration.v1.RunToolRequest.user_id",
}


def rpcs() -> Iterator[MethodDescriptor]:
    for path in sorted((ROOT / "gen" / "antiphon").rglob("*_service_pb2.py")):
        name = ".".join(path.relative_to(ROOT / "gen").with_suffix("").parts)
        for service in importlib.import_module(name).DESCRIPTOR.services_by_name.values():
            yield from service.methods


@pytest.fixture(scope="module")
def sources(tmp_path_factory: pytest.TempPathFactory) -> FileDescriptorSet:
    """Our contracts with their comments, which the generated stubs don't have."""
    found = FileDescriptorSet()
    out, root = tmp_path_factory.mktemp("contracts") / "set", ROOT / "proto"
    protoc = (sys.executable, "-m", "grpc_tools.protoc", f"-I{root}", "--include_source_info")
    run = ran(*protoc, f"-o{out}", *sorted(root.glob("antiphon/**/*.proto")))
    assert run.returncode == 0, run.stderr
    found.ParseFromString(out.read_bytes())
    return found


def comments(sources: FileDescriptorSet) -> dict[str, str]:
    """Each RPC's, by its full name."""
    services, methods = 6, 2  # the fields' numbers in descriptor.proto
    told = {}
    for file in sources.file:
        for where in file.source_code_info.location:
            if len(where.path) == 4 and where.path[0] == services and where.path[2] == methods:
                service = file.service[where.path[1]]
                name = f"{file.package}.{service.name}.{service.method[where.path[3]].name}"
                told[name] = where.leading_comments
    return told


def field_at(message: Descriptor, path: str) -> FieldDescriptor | None:
    *parents, last = path.split(".")
    for name in parents:
        parent = message.fields_by_name.get(name)
        if parent is None or parent.message_type is None:
            return None
        message = parent.message_type
    return message.fields_by_name.get(last)


def ran(*command: str | Path) -> subprocess.CompletedProcess[str]:
    """A command that finds the tools of this environment."""
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    environment = {**os.environ, "PATH": path}
    return subprocess.run(command, capture_output=True, text=True, check=False, env=environment)


def test_committed_stubs_are_those_of_the_contracts() -> None:
    """Generating the stubs anew changes nothing."""
    run = ran(ROOT / ".ci" / "stubs")
    assert run.returncode == 0, run.stdout + run.stderr


def test_a_breaking_change_is_found_however_many_commits_ago(tmp_path: Path) -> None:
    """A number that was given to another field stays refused when innocent commits follow."""
    for part in ("buf.yaml", "proto", ".ci"):
        copy = shutil.copytree if (ROOT / part).is_dir() else shutil.copy
        copy(ROOT / part, tmp_path / part)
    contract = tmp_path / "proto/antiphon/events/v1/event.proto"

    def commit(message: str) -> None:
        git = ("git", "-C", str(tmp_path), "-c", "user.name=test", "-c", "user.email=test@test")
        for arguments in (("init", "-q"), ("add", "-A"), ("commit", "-qm", message)):
            assert ran(*git, *arguments).returncode == 0

    commit("the contracts")
    assert ran(tmp_path / ".ci" / "contracts").returncode == 0
    was = contract.read_text()
    contract.write_text(was.replace("bool typing = 1;", "bool typing = 2;"))
    commit("a field gets another number")
    (tmp_path / "innocent").touch()
    commit("something else")
    run = ran(tmp_path / ".ci" / "contracts")
    assert run.returncode != 0
    assert 'field "1" with name "typing"' in run.stdout


@pytest.mark.parametrize("service", installation.SERVICES, ids=lambda it: it.name)
def test_a_service_serves_the_package_of_its_name(service: ServiceDescriptor) -> None:
    """By that name calls are routed to it (RoutedChannel), and tokens of services are for it."""
    assert {name.split(".")[1] for name in service.methods()} == {service.name}


def test_every_rpc_declares_who_may_call_it() -> None:
    """An RPC that nobody thought about is found here, before a server refuses to start."""
    undeclared = [
        rpc.full_name
        for rpc in rpcs()
        if not rpc.GetOptions().Extensions[access_pb2.access].permission
    ]
    assert undeclared == []
    assert len(list(rpcs())) > 40


def test_every_rpc_declares_whether_it_may_be_repeated(sources: FileDescriptorSet) -> None:
    """Also that it may not; a change that has no request id for that says what comes of it."""
    undeclared, unsaid, said = [], [], comments(sources)
    for rpc in rpcs():
        if not rpc.GetOptions().HasField("idempotency_level"):
            undeclared.append(rpc.full_name)
        level = rpc.GetOptions().idempotency_level
        known = level == MethodOptions.IDEMPOTENT and "request_id" in rpc.input_type.fields_by_name
        if level != MethodOptions.NO_SIDE_EFFECTS and not known:
            unsaid += [] if "repeated" in said[rpc.full_name].lower() else [rpc.full_name]
    assert (undeclared, unsaid) == ([], [])


def test_what_clients_change_by_a_request_id_may_be_repeated() -> None:
    """What reads needs none. A service's own calls may leave it out and count as another."""
    for rpc in rpcs():
        internal = (
            rpc.GetOptions().Extensions[access_pb2.access].permission
            == access_pb2.PERMISSION_INTERNAL
        )
        if "request_id" in rpc.input_type.fields_by_name and not internal:
            assert rpc.GetOptions().idempotency_level == MethodOptions.IDEMPOTENT, rpc.full_name


def test_a_role_is_always_on_a_named_resource() -> None:
    """A permission that needs a role names a string field of the request; no other does."""
    for rpc in rpcs():
        access = rpc.GetOptions().Extensions[access_pb2.access]
        assert (access.permission in ON_A_RESOURCE) == bool(access.resource_field), rpc.full_name
        if access.resource_field:
            field = field_at(rpc.input_type, access.resource_field)
            assert field is not None, f"{rpc.full_name}: {access.resource_field}"
            assert field.type == FieldDescriptor.TYPE_STRING, rpc.full_name


def test_an_id_in_a_request_has_its_prefix_as_a_pattern() -> None:
    """By which tests find what it is of, and people are told what they mistyped."""
    without = set()
    for field in (field for rpc in rpcs() for field in rpc.input_type.fields):
        rules = field.GetOptions().Extensions[validate_pb2.field]
        text = rules.repeated.items.string if field.is_repeated else rules.string
        if field.name.endswith(("_id", "_ids")) and not (text.pattern or text.uuid):
            without.add(field.full_name.removeprefix("antiphon."))
    assert without == OTHER_IDS


def test_every_vendored_rule_is_enforced() -> None:
    """The validator in use knows every option of the vendored protovalidate contract."""
    known = importlib.import_module("protovalidate._gen.buf.validate.validate_pb")
    for name, message in validate_pb2.DESCRIPTOR.message_types_by_name.items():
        theirs = {field.name: field.number for field in getattr(known, name).desc().fields}
        ours = {field.name: field.number for field in message.fields}
        assert ours.items() <= theirs.items(), name
