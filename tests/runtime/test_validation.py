"""The contract's rules are applied, and what breaks them is named."""

import pytest

from antiphon.context.v1 import message_pb2
from antiphon.events.v1 import event_service_pb2 as pb
from antiphon.events.v1 import stream_pb2
from antiphon_server.runtime.errors import DomainError, Reason
from antiphon_server.runtime.rpc.interceptors import validation
from antiphon_server.runtime.rpc.interceptors.validation import Undecodable, check
from tests.repository.test_imports import printed
from tests.runtime.events_service import HEAD


def refused(message: object) -> DomainError:
    with pytest.raises(DomainError) as caught:
        check(message)
    assert caught.value.reason is Reason.INVALID_ARGUMENT
    return caught.value


def test_a_valid_message_passes() -> None:
    """Nothing is raised."""
    check(HEAD)


def test_each_violation_has_its_path() -> None:
    """Nested and repeated fields are named as a client writes them."""
    watch = stream_pb2.Watch(watch_id="x" * 65, scope="nowhere", kinds=[99])  # type: ignore[list-item]
    error = refused(pb.FollowRequest(follow_id="x" * 65, watches=[watch]))
    assert {v.field for v in error.violations} == {
        "follow_id",
        "watches[0].watch_id",
        "watches[0].scope",
        "watches[0].kinds[0]",
    }
    assert all(0 < len(v.description) <= 200 for v in error.violations)


def test_of_a_long_message_the_first_violation_is_told() -> None:
    """To find all of them would hold up everybody: seconds, for some 10 KB of empty messages."""
    watch = stream_pb2.Watch(scope="nowhere")
    few = pb.FollowRequest(follow_id="x" * 65, watches=[watch] * 20)
    assert len(refused(few).violations) == validation.MOST_TOLD
    many = pb.FollowRequest(follow_id="x" * 65, watches=[watch] * 10_000)
    assert len(refused(many).violations) == 1


@pytest.mark.parametrize(
    ("uri", "taken"),
    [
        ("https://x.example/y.png", True),
        ("s3://bucket/key", True),
        ("abfss://box@account.example/y", True),
        ("http://x.example/y.png", False),
        ("file:///etc/passwd", False),
        ("javascript:alert(1)", False),
        ("data:text/html,x", False),
        ("https:///y", False),
        ("https://x.example:8443?y", True),
        ("https://x.example/@y", True),
        ("https://user:password@x.example/y", False),
        ("https://token@x.example/y", False),
        ("https://@x.example/y", False),
        ("s3://key:secret@bucket/y", False),
        ("abfss://box:password@account.example/y", False),
        ("abfss://box@more@account.example/y", False),
        ("x https://x.example", False),
    ],
)
def test_a_reference_is_by_https_or_in_an_object_store(uri: str, taken: bool) -> None:
    """Whoever shows or fetches what a message points at is led nowhere else."""
    part = message_pb2.Part(image=message_pb2.Reference(uri=uri, media_type="image/png"))
    if taken:
        check(part)
    else:
        assert refused(part).violations[0].field == "image.uri"


def test_bytes_that_were_no_message_are_refused() -> None:
    """The stand-in for an undecodable request never reaches a handler."""
    assert refused(Undecodable()).violations[0].description


def test_a_health_check_imports_no_rules() -> None:
    """A probe is answered before anything is imported for contracts: its own has no rules."""
    code = """
import asyncio, sys
from grpc_health.v1.health_pb2 import HealthCheckRequest
from antiphon_server.runtime.errors import DomainError
from antiphon_server.runtime.rpc.interceptors import validation
from antiphon_server.runtime.rpc.interceptors.validation import Undecodable, ValidationInterceptor
from antiphon_server.runtime.rpc.methods import Method

async def answer(request, context):
    return "answered"

probe = ValidationInterceptor().wrap(Method("/grpc.health.v1.Health/Check"), answer)
print(asyncio.run(probe(HealthCheckRequest(), None)), "protovalidate" in sys.modules)
try:
    asyncio.run(probe(Undecodable(), None))
except DomainError as error:
    print(error.reason)
"""
    assert printed(code) == ["answered", "False", "INVALID_ARGUMENT"]
