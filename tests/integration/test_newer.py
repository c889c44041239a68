"""What newer clients know, in what a model is to be asked, and in what is forwarded."""

from typing import Any

from antiphon.integration.v1 import connection_service_pb2
from antiphon.integration.v1 import integration_service_pb2 as pb
from antiphon_server.integration import forward_encoding
from antiphon_server.integration.encoding import order, remembered_prompts
from antiphon_server.integration.models.model import Part
from antiphon_server.runtime.errors import Reason
from tests.e2e.refusals import Refused
from tests.fakes.newer import newer


def asked(request: Any) -> pb.GenerateRequest:
    return pb.GenerateRequest.FromString(request.SerializeToString())


def test_what_was_said_before_is_asked_with_as_far_as_it_is_understood() -> None:
    """Parts to come are left out, and messages of nothing else: an empty one is refused by many."""
    request = newer("integration.v1.GenerateRequest")()
    mixed = request.history.add()
    mixed.parts.add(text="a caption")
    mixed.parts.add().newer.text = "newer"
    request.history.add().parts.add().newer.text = "newer"
    request.messages.add().parts.add(text="and now?")
    prompts = remembered_prompts()
    for _ in range(2):  # the second time from memory
        found = order(asked(request), prompts)
        assert [it.parts for it in found.history] == [(Part("text", "a caption"),)]
        assert [it.parts for it in found.prompt.messages] == [(Part("text", "and now?"),)]


def test_a_question_that_is_not_understood_is_refused() -> None:
    """It is not answered, and not paid for, as if a part of it were not there."""
    request = newer("integration.v1.GenerateRequest")()
    question = request.messages.add()
    question.parts.add(text="what is this?")
    question.parts.add().newer.text = "newer"
    with Refused(Reason.INVALID_ARGUMENT) as caught:
        order(asked(request), remembered_prompts())
    assert [it.field for it in caught.error.violations] == ["messages[0].parts"]


def test_what_is_forwarded_is_never_sent_as_less_than_it_is() -> None:
    """Neither a request of a kind to come, nor a message of one, goes off as an empty message."""
    request, message = (newer("integration.v1.ForwardRequest")() for _ in range(2))
    request.newer.text = "newer"
    message.message.newer.text = "newer"
    for one in (request, message):
        told = one.SerializeToString()
        with Refused(Reason.UNIMPLEMENTED):
            forward_encoding.forwarded(connection_service_pb2.ForwardRequest.FromString(told))
