"""The client's table of services and of what may be sent twice is what the contracts say."""

import json

from antiphon_client.address import SERVICES, service_config
from tests.e2e.contracts import declared_rpcs

CALLED_BY_THE_SERVER = "antiphon.auth.v1.PolicyService"
READS = ("Get", "List", "Read", "Check", "Count", "Explain", "Verify", "WhoAmI")


def test_every_served_service_is_known() -> None:
    """All of the contracts but the one that an engine outside serves: health and tests go by it."""
    declared = {rpc.method.containing_service.full_name for rpc in declared_rpcs()}
    assert sorted(SERVICES) == sorted(declared - {CALLED_BY_THE_SERVER})


def test_every_read_is_tried_again() -> None:
    """A read answers once, and may be asked twice; what is tried again exists."""
    [config] = json.loads(service_config())["methodConfig"]
    retried = {(each["service"], each["method"]) for each in config["name"]}
    unary = {
        (rpc.method.containing_service.full_name, rpc.method.name)
        for rpc in declared_rpcs()
        if not (rpc.method.client_streaming or rpc.method.server_streaming)
    }
    served = {(service, name) for service, name in unary if service in SERVICES}
    assert {(service, name) for service, name in served if name.startswith(READS)} <= retried
    assert retried <= served
