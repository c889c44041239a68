"""What came of an input, and whether that is allowed."""

from collections.abc import Container
from dataclasses import dataclass
from typing import Any

import grpc
from google.protobuf.message import DecodeError, Message
from google.rpc import status_pb2

from tests.e2e.refusals import reason_in, reason_of

HANG = "hang"
DEEPEST = 3


@dataclass(frozen=True, slots=True)
class Verdict:
    """``outcome`` is OK, a reason, or what the client did; ``problem`` says what is wrong."""

    outcome: str
    problem: str = ""


def of_answer(data: bytes, kind: type[Message]) -> tuple[Verdict, Message | None]:
    """Judge one answer: it must be readable, and so must every status in it."""
    try:
        answer = kind.FromString(data)
    except DecodeError:
        return Verdict("OK", "an answer that can't be decoded"), None
    try:
        reasons = [reason_in(status) for status in _statuses(answer, 0)]
    except AssertionError as error:
        return Verdict("OK", f"a bad status in an answer: {str(error)[:300]}"), answer
    return Verdict(reasons[0] if reasons else "OK"), answer


def _statuses(message: Message, depth: int) -> list[status_pb2.Status]:
    found: list[status_pb2.Status] = []
    fields: Any = message.ListFields()
    for field, value in fields:
        if field.message_type is None or field.is_repeated or depth > DEEPEST:
            continue
        if isinstance(value, status_pb2.Status):
            found.append(value)
        else:
            found += _statuses(value, depth + 1)
    return found


def of_error(
    error: grpc.aio.AioRpcError, excused: Container[grpc.StatusCode] = frozenset()
) -> Verdict:
    """Judge a refusal: typed, of a known reason, no defect, no secrets.

    ``excused`` codes may come from the transport, which has no reasons.
    """
    code = error.code()
    if code in excused:
        return Verdict(code.name)
    try:
        return Verdict(reason_of(error))
    except AssertionError as problem:
        return Verdict(code.name, f"{code.name}: {' '.join(str(problem).split())[:300]}")
