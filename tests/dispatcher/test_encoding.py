"""What a client asks for, decoded."""

import pytest

from antiphon.dispatcher.v1.dispatcher_service_pb2 import DispatchRequest
from antiphon_server.dispatcher.encoding import order_of, text_of
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
