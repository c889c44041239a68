"""The client's table of services and of what may be sent twice is what the contracts say."""

import json

from antiphon.auth.v1 import access_pb2
from antiphon.context.v1 import context_service_pb2
from antiphon_client.address import service_config
from antiphon_client.contracts import SERVICES, with_request_id
from tests.e2e.contracts import declared_rpcs

CALLED_BY_THE_SERVER = {
    "antiphon.auth.v1.PolicyService",
    "antiphon.context.v1.RemoteFilterService",
    "antiphon.memory.v1.ExternalMemoryService",
    "antiphon.mesh.v1.RegistryService",
}
READS = ("Get", "List", "Read", "Check", "Count", "Explain", "Verify", "WhoAmI")


def test_every_served_service_is_known() -> None:
    """All of the contracts that a server has: health and tests go by it."""
    declared = {rpc.method.containing_service.full_name for rpc in declared_rpcs()}
    assert sorted(SERVICES) == sorted(declared - CALLED_BY_THE_SERVER)


def test_what_may_be_asked_twice_is_tried_again() -> None:
    """So is what carries a request id; what is tried again exists."""
    [config] = json.loads(service_config())["methodConfig"]
    retried = {(each["service"], each["method"]) for each in config["name"]}
    unary = {
        (rpc.method.containing_service.full_name, rpc.method.name)
        for rpc in declared_rpcs()
        if not (rpc.method.client_streaming or rpc.method.server_streaming)
    }
    served = {(service, name) for service, name in unary if service in SERVICES}
    assert {(service, name) for service, name in served if name.startswith(READS)} <= retried
    repeatable = {
        (rpc.method.containing_service.full_name, rpc.method.name)
        for rpc in declared_rpcs()
        if "request_id" in rpc.method.input_type.fields_by_name
        and rpc.access.permission != access_pb2.PERMISSION_INTERNAL  # they may leave it out
    }
    assert repeatable & served <= retried
    assert retried <= served


def test_a_change_without_a_request_id_gets_one() -> None:
    """Not the caller's own message, which may be sent as another request; and no second id."""
    mine = context_service_pb2.AddMemberRequest(resource="ws_00000001")
    named = with_request_id(mine)
    assert (mine.request_id, named.resource) == ("", mine.resource)
    assert named.request_id != with_request_id(mine).request_id
    assert with_request_id(named) is named
    read = context_service_pb2.GetMemberRequest()
    assert with_request_id(read) is read
