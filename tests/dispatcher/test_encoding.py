"""What a client asks for, decoded."""

from dataclasses import replace
from typing import Any

import pytest

from antiphon.dispatcher.v1.dispatcher_service_pb2 import DispatchRequest
from antiphon.integration.v1 import model_pb2
from antiphon_server.dispatcher.encoding import order_of, text_of, usage_message, usage_of
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
