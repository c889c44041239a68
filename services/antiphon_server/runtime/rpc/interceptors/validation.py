"""Checks every request against the rules in the contract, before any handler.

What a client says beyond this version's contract is dropped: no rule bounds it, and what holds
a part of a request would store and broadcast it. Another part of this installation may be newer,
and knows what it says: that is kept, and takes the place of what a rule misses.
"""

from collections.abc import AsyncIterator
from typing import Any, cast

import grpc

from antiphon_server.runtime.access.principal import current_principal
from antiphon_server.runtime.access.rules import THIRD_PARTY
from antiphon_server.runtime.encoding.unknown_fields import has_unknown_fields
from antiphon_server.runtime.errors import DomainError, FieldViolation, Reason, invalid
from antiphon_server.runtime.rpc.methods import Behaviour, Context, Method, MethodInterceptor

LONGEST_DESCRIPTION = 200
MOST_TOLD = 32
ALL_TOLD_BYTES = 1024
"""Of a longer message the first violation is told: to find all of them may take minutes."""
_REFERENCE = "antiphon.context.v1.Reference"


class Undecodable:
    """Stands for a request whose bytes are not a message of its type."""


class Oversize:
    """Stands for a request of more bytes than a message may have."""

    def __init__(self, most_bytes: int) -> None:
        self.most_bytes = most_bytes


class InvalidMessage(DomainError):
    """A message of a request stream that breaks a rule; ``message`` is what came."""

    def __init__(self, message: Any, error: DomainError) -> None:
        super().__init__(error.reason, violations=error.violations)
        self.metadata = error.metadata
        self.message = message


class ValidationInterceptor(MethodInterceptor):
    """Raises INVALID_ARGUMENT for a message that violates its contract.

    Messages of a request stream are checked when the handler reads them. The handler receives
    InvalidMessage and may continue. A message that cannot be parsed ends the stream.
    """

    def wrap(self, method: Method, inner: Behaviour) -> Behaviour:
        if method.request_streaming:

            async def stream(requests: Any, context: Context) -> Any:
                return await inner(_checked(requests), cast(Context, CheckedContext(context)))

            return stream

        # Other people's contracts have no rules of ours: a probe shall import none.
        foreign = method.name[1:].partition("/")[0] in THIRD_PARTY
        checked = check_readable if foreign else check

        async def unary(request: Any, context: Context) -> Any:
            checked(request)
            return await inner(request, context)

        return unary


def check(message: Any) -> None:
    """Check one message. Raises DomainError INVALID_ARGUMENT, LIMIT_EXCEEDED."""
    import protovalidate  # 0.1 s and 12 MB, at the first request

    check_readable(message)
    trusted = current_principal().kind == "service"
    if not trusted:
        message.DiscardUnknownFields()
    try:
        found = protovalidate.collect_violations(message, fail_fast=not trusted)
        if found and message.ByteSize() <= ALL_TOLD_BYTES:
            found = protovalidate.collect_violations(message)
    except protovalidate.EvaluationError:
        raise invalid("", "A rule of the contract can't be applied to the message.") from None
    violations = [it.proto for it in found]
    if trusted:
        violations = [it for it in violations if not _of_another_time(message, it)]
    if violations:
        told = [_violation(it) for it in violations[:MOST_TOLD]]
        raise DomainError(Reason.INVALID_ARGUMENT, violations=told)


def _of_another_time(message: Any, violation: Any) -> bool:
    """Whether the rule is not one of when, or by whom, the value was taken.

    That is a value, or a member of a oneof, which this version does not have yet, and where a
    message points that was posted before the rule for that was what it is.
    """
    if violation.rule_id == "enum.defined_only":
        return True
    if violation.rule_id not in ("required", "string.pattern"):
        return False
    *path, last = violation.field.elements
    for element in path:
        message = getattr(message, element.field_name)
        if element.subscript is not None:
            message = message[element.subscript.value]
    if violation.rule_id == "string.pattern":
        return bool(message.DESCRIPTOR.full_name == _REFERENCE and last.field_name == "uri")
    return last.field_name in message.DESCRIPTOR.oneofs_by_name and has_unknown_fields(message)


def check_readable(message: Any) -> None:
    """Check that it is a message at all. Raises DomainError INVALID_ARGUMENT, LIMIT_EXCEEDED."""
    if isinstance(message, Undecodable):
        raise invalid("", "The message can't be decoded.")
    if isinstance(message, Oversize):
        raise DomainError(Reason.LIMIT_EXCEEDED, limit=f"{message.most_bytes} bytes a message")


def _violation(proto: Any) -> FieldViolation:
    path = ""
    for element in proto.field.elements if proto.field else ():
        path += f".{element.field_name}" if path else element.field_name
        if element.subscript is not None:
            path += f"[{element.subscript.value!r}]"
    return FieldViolation(path, proto.message[:LONGEST_DESCRIPTION])


async def _checked(requests: AsyncIterator[Any]) -> AsyncIterator[Any]:
    async for message in requests:
        check(message)
        yield message


class CheckedContext:
    """A servicer context whose ``read`` checks what it returns."""

    __slots__ = ("_context", "write")

    def __init__(self, context: Context) -> None:
        self._context = context
        self.write = context.write

    async def read(self) -> Any:
        """The next request, checked, or EOF.

        Raises InvalidMessage, and another DomainError for what is no message at all.
        """
        message = await self._context.read()
        if message is not grpc.aio.EOF:
            check_readable(message)
            try:
                check(message)
            except DomainError as error:
                raise InvalidMessage(message, error) from None
        return message

    def __getattr__(self, name: str) -> Any:
        """Everything else is the context's own."""
        return getattr(self._context, name)
