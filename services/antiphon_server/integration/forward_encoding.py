"""The contract's messages about what is forwarded <-> the domain's types."""

from antiphon.integration.v1 import connection_service_pb2 as pb
from antiphon_server.integration.connections.model import (
    Answered,
    Forwarded,
    HttpAnswer,
    HttpRequest,
)
from antiphon_server.integration.relay_encoding import message, socket_message


def forwarded(request: pb.ForwardRequest) -> Forwarded:
    """What to send."""
    if request.HasField("http"):
        http = request.http
        headers = tuple((it.name, it.value) for it in http.headers)
        return HttpRequest(http.method, http.path, headers, http.body)
    return message(request.message)


def response(answer: Answered) -> pb.ForwardResponse:
    """Encode an answer."""
    match answer:
        case HttpAnswer(status, headers, body):
            told = [pb.HttpHeader(name=name, value=value) for name, value in headers]
            http = pb.HttpAnswer(status=status, headers=told, body=body)
            return pb.ForwardResponse(http=http)
        case _:
            return pb.ForwardResponse(message=socket_message(answer))
