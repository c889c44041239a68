"""What a client asks for, decoded."""

import hashlib
from dataclasses import replace
from typing import Any

import pytest

from antiphon.dispatcher.v1.dispatcher_service_pb2 import DispatchRequest
from antiphon.events.v1 import event_pb2
from antiphon.integration.v1 import model_pb2
from antiphon_server.dispatcher.encoding import (
    digest_of,
    order_of,
    text_of,
    usage_message,
    usage_of,
)
from antiphon_server.dispatcher.model import COUNTED, Usage
from antiphon_server.integration.ledger.model import Quantities
from antiphon_server.runtime.errors import DomainError, Reason


def test_a_turns_message_may_be_as_large_as_a_posted_one() -> None:
    """One MiB as its parts are serialised: 8 bytes around each of these texts."""
    request = DispatchRequest()
    for text in ["x" * 262_144] * 3 + ["x" * (262_144 - 4 * 8)]:
        request.parts.add(text=text)
    assert len(text_of(order_of(request).content)) == (1 << 20) - 4 * 8 + 3
    request.parts[3].text += "x"
    with pytest.raises(DomainError) as caught:
        order_of(request)
    assert caught.value.reason is Reason.INVALID_ARGUMENT


def test_a_turns_message_has_what_programs_say_of_it() -> None:
    """Its type and metadata are stored with its parts, in one order whatever the client's was."""
    request = DispatchRequest(type="form.submitted")
    request.parts.add(text="{}")
    contents, digests = set(), set()
    for keys in (range(16), reversed(range(16))):
        request.metadata.clear()
        for key in keys:
            request.metadata[f"key-{key}"] = str(key)
        contents.add(order_of(request).content)
        digests.add(digest_of(request))
    assert len(digests) == 1
    (content,) = contents
    message = event_pb2.MessagePosted.FromString(content).message
    assert (message.type, message.metadata) == (request.type, request.metadata)
    assert text_of(content) == "{}"


def test_what_programs_say_of_it_is_what_makes_it_another_request() -> None:
    """But who says nothing of it asks what clients of before have asked."""
    plain = DispatchRequest(turn_id="turn_00000001")
    plain.parts.add(text="hi")
    # What a client of the version before has sent: the two fields were not there.
    of_before = bytes.fromhex("120d7475726e5f303030303030303122040a026869")
    assert digest_of(plain) == digest_of(DispatchRequest.FromString(of_before))
    assert digest_of(plain) == hashlib.sha256(of_before).digest()
    assert order_of(plain).content == bytes.fromhex("0a062a040a026869")
    typed, described = DispatchRequest(), DispatchRequest()
    typed.CopyFrom(plain)
    typed.type = "command"
    described.CopyFrom(plain)
    described.metadata["k"] = ""
    assert len({digest_of(it) for it in (plain, typed, described)}) == 3


def test_metadata_takes_nothing_of_the_parts_length() -> None:
    """A message of the full length may have some."""
    request = DispatchRequest(type="command", metadata={"k": "v" * 256})
    for text in ["x" * 262_144] * 3 + ["x" * (262_144 - 4 * 8)]:
        request.parts.add(text=text)
    assert len(order_of(request).content) > 1 << 20


def test_all_that_is_counted_of_a_turn_is_told() -> None:
    """Each kind of tokens under the name that the contract and the ledger have for it."""
    counts: dict[str, Any] = {name: at for at, name in enumerate(COUNTED, 1)}
    used = replace(Usage(estimated=True, cost_micros=7), **counts)
    assert usage_of(usage_message(used)) == used
    assert {it.name for it in model_pb2.Usage.DESCRIPTOR.fields} == {*COUNTED, "estimated", "cost"}
    assert set(COUNTED) == set(Quantities._fields)
    twice = used.plus(used)
    assert [getattr(twice, name) for name in COUNTED] == [2 * it for it in counts.values()]
    assert (twice.estimated, twice.cost_micros) == (True, 14)
