"""The contract's messages about what is forwarded <-> the domain's types."""

from antiphon.integration.v1 import connection_service_pb2 as pb
from antiphon_server.integration.connections.model import (
    Answered,
    Forwarded,
    HttpAnswer,
    HttpRequest,
)


def forwarded(request: pb.ForwardRequest) -> Forwarded:
    """What to send."""
    if request.HasField("http"):
        http = request.http
        headers = tuple((it.name, it.value) for it in http.headers)
        return HttpRequest(http.method, http.path, headers, http.body)
    message = request.message
    return message.text if message.HasField("text") else message.binary


def response(answer: Answered) -> pb.ForwardResponse:
    """Encode an answer."""
    match answer:
        case HttpAnswer(status, headers, body):
            told = [pb.HttpHeader(name=name, value=value) for name, value in headers]
            http = pb.HttpAnswer(status=status, headers=told, body=body)
            return pb.ForwardResponse(http=http)
        case str():
            return pb.ForwardResponse(message=pb.SocketMessage(text=answer))
    return pb.ForwardResponse(message=pb.SocketMessage(binary=answer))
