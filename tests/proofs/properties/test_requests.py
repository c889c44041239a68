"""A request with an id is done once, however often it is asked; a server that forgets is caught."""

from pathlib import Path

import pytest

from antiphon.auth.v1 import access_pb2
from tests.e2e.contracts import every_rpc
from tests.proofs.properties.machine import caught, check
from tests.proofs.properties.requests_machine import ELSEWHERE, kinds, machine_on


@pytest.mark.proof
def test_a_request_is_done_once(tmp_path: Path) -> None:
    """Repeated, changed, at once with others, killed in between, hours later."""
    with machine_on(tmp_path, "tests.proofs.robustness.odd_server") as machine:
        check(machine, examples=3, steps=12)
        assert machine.server.defects == []


@pytest.mark.proof
def test_a_server_that_forgets_is_caught(tmp_path: Path) -> None:
    """One that does again what it was asked again shows."""
    with machine_on(tmp_path, "tests.proofs.properties.forgetful_server") as machine:
        caught(machine, examples=20, steps=8)


def test_every_repeatable_request_is_asked() -> None:
    """What the contracts say can be repeated is asked of a server; log and trail have tests."""
    named = {
        rpc.method.name
        for rpc in every_rpc()
        if "request_id" in rpc.method.input_type.fields_by_name
    }
    internal = {
        rpc.method.name
        for rpc in every_rpc()
        if rpc.access.permission == access_pb2.PERMISSION_INTERNAL
    }
    assert {kind.rpc.method.name for kind in kinds()} == (named - internal - ELSEWHERE) | {
        "Dispatch"
    }
    assert named & internal == {"Append", "RecordSecurityEvents", "Redact"}
