"""The error table, the reasons and the contract say the same."""

import re
from pathlib import Path
from typing import Any

import grpc
import pytest
from google.rpc import error_details_pb2

from antiphon.errors.v1 import error_reason_pb2
from antiphon_server.runtime.errors import DomainError, FieldViolation, Reason, invalid, not_found
from antiphon_server.runtime.errors.codes import TABLE
from antiphon_server.runtime.errors.wire import (
    domain_error_of_status,
    error_of_code,
    remote_errors,
    status_of,
)

PREFIX = "ERROR_REASON_"
BROKEN = ("UNAVAILABLE", "INTERNAL", "UNKNOWN", "CANCELLED")
"""What the transport says, in its own words, of a stream that was reset."""
PROTO = Path(__file__).parents[2] / "proto/antiphon/errors/v1/error_reason.proto"


def documented() -> dict[str, str]:
    """The comment of each reason in the contract, on one line."""
    found = {}
    for comment, name in re.findall(
        r"((?:^  //.*\n)+)^  ERROR_REASON_(\w+) = \d+;", PROTO.read_text(), re.MULTILINE
    ):
        found[name] = re.sub(r"\s*//\s*", " ", comment).strip()
    return found


def test_table_reasons_and_contract_are_equal() -> None:
    """Each reason has one row, one member and one value of the contract's enum."""
    contract = {n.removeprefix(PREFIX) for n in error_reason_pb2.ErrorReason.keys()}  # noqa: SIM118
    assert {r.value for r in TABLE} == {r.value for r in Reason} == contract - {"UNSPECIFIED"}


@pytest.mark.parametrize("reason", list(Reason))
def test_code_is_the_documented_one(reason: Reason) -> None:
    """The code of each row is the one its comment in the contract names."""
    match = re.search(r"Code ([A-Z_]+)\.", documented()[reason.value])
    assert match is not None
    assert TABLE[reason].code is grpc.StatusCode[match[1]]


@pytest.mark.parametrize("reason", list(Reason))
def test_sentence_uses_documented_variables(reason: Reason) -> None:
    """A sentence's variables are among those its comment lists as metadata."""
    match = re.search(r"metadata:\s*([a-z_, ]+)", documented()[reason.value])
    listed = set(re.findall(r"[a-z_]+", match[1])) if match else set()
    assert set(re.findall(r"{(\w+)}", TABLE[reason].sentence)) <= listed


@pytest.mark.parametrize("reason", list(Reason))
def test_a_status_carries_the_error_there_and_back(reason: Reason) -> None:
    """Reason, metadata, violations and retry delay survive the wire."""
    error = DomainError(
        reason,
        violations=[FieldViolation("a.b[0]", "must be set")],
        retry_after=1.5,
        resource="ws_1",
        limit="turns",
    )
    back = domain_error_of_status(status_of(error))
    assert back.reason is reason
    assert back.metadata == {"resource": "ws_1", "limit": "turns"}
    assert back.violations == error.violations
    assert back.retry_after == 1.5


def test_a_status_has_exactly_one_error_info() -> None:
    """Other details stand beside one ErrorInfo of our domain."""
    status = status_of(invalid("name", "must be set"))
    infos = [d for d in status.details if d.Is(error_details_pb2.ErrorInfo.DESCRIPTOR)]
    info = error_details_pb2.ErrorInfo()
    infos[0].Unpack(info)
    assert (len(infos), info.domain, info.reason) == (1, "antiphon", "INVALID_ARGUMENT")


def test_a_limit_is_named_by_a_quota_failure() -> None:
    """LIMIT_EXCEEDED adds a QuotaFailure whose subject is the limit."""
    status = status_of(DomainError(Reason.LIMIT_EXCEEDED, limit="watches"))
    failure = error_details_pb2.QuotaFailure()
    assert any(detail.Unpack(failure) for detail in status.details)
    assert failure.violations[0].subject == "watches"


def test_what_a_request_said_is_repeated_in_part_only() -> None:
    """However long a text the refusal names, it fits into trailers."""
    long = "\U0001f600" * 100_000
    for error in (
        not_found(long),
        invalid(long, long),
        DomainError(Reason.LIMIT_EXCEEDED, limit=long),
    ):
        status = status_of(error)
        assert len(status.SerializeToString()) < 5000
        assert len(status.message) < 300


def test_a_missing_variable_does_not_break_the_sentence() -> None:
    """An error raised without its metadata still has a sentence."""
    assert status_of(DomainError(Reason.NOT_FOUND)).message == "- was not found."


def test_a_bare_code_becomes_the_nearest_reason() -> None:
    """A peer without our table is understood by its code."""
    unavailable = error_of_code(grpc.StatusCode.UNAVAILABLE.value[0])
    assert (unavailable.reason, unavailable.retry_after) == (Reason.DRAINING, 1.0)
    assert error_of_code(grpc.StatusCode.DATA_LOSS.value[0]).reason is Reason.INTERNAL


@pytest.mark.parametrize(
    ("code", "words", "of_a_caller"),
    [
        *((code, "Stream removed", Reason.DRAINING) for code in BROKEN),
        ("DEADLINE_EXCEEDED", "Deadline Exceeded", Reason.DEADLINE_EXCEEDED),
    ],
)
async def test_a_broken_connection_to_a_service_is_its_absence(
    code: str, words: str, of_a_caller: Reason
) -> None:
    """Nobody's mistake: it can be asked again. Nor is it that it stands still, but a caller's."""
    nothing = grpc.aio.Metadata()
    broken = grpc.aio.AioRpcError(grpc.StatusCode[code], nothing, nothing, words)
    with pytest.raises(DomainError) as of_service, remote_errors("events"):
        raise broken
    assert of_service.value.reason is Reason.SERVICE_UNAVAILABLE
    with pytest.raises(DomainError) as of_caller, remote_errors():
        raise broken
    assert of_caller.value.reason is of_a_caller
    assert of_caller.value.retry_after == (1.0 if code in BROKEN else None)


def test_a_status_has_the_same_bytes_in_every_process() -> None:
    """Envoy is told of some: told others by a control plane that was restarted, it would drain."""
    values: dict[str, Any] = {f"key_{number}": "x" for number in range(20)}
    [detail] = status_of(DomainError(Reason.NOT_FOUND, **values)).details
    info = error_details_pb2.ErrorInfo.FromString(detail.value)
    assert detail.value == info.SerializeToString(deterministic=True)


def test_an_error_in_a_log_is_read_by_people() -> None:
    """Its reason and its variables, in no language of programs."""
    assert str(DomainError(Reason.SERVICE_UNAVAILABLE, service="auth")) == (
        "SERVICE_UNAVAILABLE (service auth)"
    )
    assert str(DomainError(Reason.DRAINING)) == "DRAINING"
