"""Calls of tools: a worker's own, and those of the conversation."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import TracebackType
from typing import Any, Self

from antiphon.context.v1.message_pb2 import Part
from antiphon.dispatcher.v1.worker_pb2 import (
    AskedToolCall,
    Output,
    OutputToolCall,
    OutputToolResult,
    ToolCallEnd,
)
from antiphon_client.errors import AntiphonError
from antiphon_client.status import error_of_status
from antiphon_client.text import text_of
from antiphon_client.worker import checked
from antiphon_client.worker.outbox import Outbox
from antiphon_client.worker.pacing import cut

_MOST_RESULT_BYTES = 63 * 1024
"""The result may have 64 KiB with what frames it."""


@dataclass(frozen=True, slots=True)
class ToolEnd:
    """What came of a call of a tool of the conversation.

    ``failed``: the tool said that it could not do it, and ``parts`` why; or ``error`` says why the
    call was not made, or failed.
    """

    parts: Sequence[Part] = ()
    failed: bool = False
    error: AntiphonError | None = None

    @property
    def text(self) -> str:
        """What the tool returned, or why it did not, as text."""
        return str(self.error) if self.error is not None else text_of(self.parts)


def end_of(end: ToolCallEnd) -> ToolEnd:
    """From its message."""
    if end.HasField("error"):
        return ToolEnd(failed=True, error=error_of_status(end.error))
    return ToolEnd(list(end.result.parts), end.result.failed)


def asked_call(name: str, arguments: Mapping[str, Any]) -> AskedToolCall:
    """A call to ask for. Raises ValueError for what can't be called so."""
    return AskedToolCall(tool=checked.tool(name), arguments_json=checked.arguments(arguments))


class OwnCall:
    """A call of a tool of the worker's own: people see it; an async context manager.

    Leaving it tells what :meth:`result` was given, or by an exception that the tool failed.
    """

    def __init__(self, outbox: Outbox, call: OutputToolCall) -> None:
        self._outbox = outbox
        self._call = call
        self._result = OutputToolResult()

    def result(self, result: str, *, failed: bool = False) -> None:
        """Say what came of it; of more than 63 KiB the beginning is told."""
        self._result.failed = failed
        self._result.ClearField("parts")
        self._result.parts.add(text=cut(result, _MOST_RESULT_BYTES))

    async def __aenter__(self) -> Self:
        self._result.call_sequence = await self._outbox.put(Output(tool_call=self._call))
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if error is not None and not isinstance(error, Exception):
            return  # stopped
        self._result.failed |= error is not None
        await self._outbox.put(Output(tool_result=self._result))
