"""Filters that look at what tools return, through the service that has them."""

from collections.abc import Sequence
from dataclasses import replace
from itertools import chain, islice
from typing import TYPE_CHECKING

from antiphon.context.v1 import filter_pb2, filter_service_pb2
from antiphon.context.v1.message_pb2 import Part
from antiphon_server.integration.tools.forms import with_words, words
from antiphon_server.integration.tools.model import (
    Caller,
    Definition,
    Result,
    ResultPart,
    ToolCallId,
)
from antiphon_server.integration.tools.pieces import Piece, Words, pieces_of, seams, whole
from antiphon_server.integration.tools.questions import Question
from antiphon_server.integration.tools.wording import wording
from antiphon_server.runtime.encoding.json_escapes import unescaped
from antiphon_server.runtime.errors.wire import remote_errors

if TYPE_CHECKING:  # it exists for the type checker alone
    from antiphon.context.v1.filter_service_pb2_grpc import FilterServiceAsyncStub

_BETWEEN = "\n", 0
"""What is asked with does not follow a question's last word."""
MOST_TEXT = 256 * 1024
"""Bytes that may be left of a piece of a result."""
TIMEOUT_S = 120.0
"""Each of many filters may take 30 s."""


class FilterServiceScreen:
    """See :class:`~antiphon_server.integration.tools.ports.ScreensResults` and `ScreensTools`."""

    def __init__(self, filters: "FilterServiceAsyncStub") -> None:
        self._filters = filters

    async def screened(self, caller: Caller, call_id: ToolCallId, result: Result) -> Result:
        """See :meth:`ScreensResults.screened`. Data is no text: of it the type is looked at.

        Programs write letters as escapes of JSON, which models read: filters see letters.
        """
        meant = [unescaped(it.content) for it in result.parts if _is_looked_at(it)]
        types = "".join(f"\n{it.media_type}" for it in result.parts if it.media_type)
        said = [(it, MOST_TEXT) for it in meant] + ([(types, 0)] if types else [])
        left = iter(await self._left(caller, call_id, said))
        parts = [_with(it, next(left)) if _is_looked_at(it) else it for it in result.parts]
        if parts == list(result.parts):
            return result
        return replace(result, parts=tuple(parts), structured=None)

    async def asked(
        self, caller: Caller, call_id: ToolCallId, questions: Sequence[Question]
    ) -> Sequence[Question]:
        """See :meth:`ScreensResults.asked`. What is parted among questions is found, too."""
        said = [words(it) for it in questions]
        beside = chain.from_iterable(it[1:] for it in said)
        told = [*(it[0] for it in said), _BETWEEN, *beside]
        left = await self._left(caller, call_id, told)
        rest = iter(left[len(said) + 1 :])
        new = [[first, *islice(rest, len(it) - 1)] for first, it in zip(left, said, strict=False)]
        return list(map(with_words, questions, new))

    async def described(
        self, workspace_id: str, definition: Definition, *, seen: bool = False
    ) -> None:
        """See :meth:`ScreensTools.described`."""
        where = _of(Caller(workspace_id), ToolCallId(""))
        where.holds = seen
        for pieces in pieces_of([(text, 0) for text in wording(definition)]):
            await self._asked(where, pieces)

    async def _left(self, caller: Caller, call_id: ToolCallId, said: Words) -> Sequence[str]:
        """What is left of words. Raises DomainError as :meth:`screened`."""
        where = _of(caller, call_id)
        left = [await self._asked(where, it) for it in pieces_of(said)]
        for seam in seams(left):
            await self._asked(where, [Piece(0, seam, 0)])
        return whole(said, chain.from_iterable(left))

    async def _asked(
        self, where: filter_service_pb2.ScreenRequest, pieces: Sequence[Piece]
    ) -> Sequence[Piece]:
        request = filter_service_pb2.ScreenRequest()
        request.CopyFrom(where)
        request.parts.extend(Part(text=it.text) for it in pieces)
        request.most_bytes.extend(it.most for it in pieces)
        with remote_errors("context"):
            left = await self._filters.Screen(request, timeout=TIMEOUT_S)
        if left.action != filter_pb2.FILTER_ACTION_SANITISE:
            return pieces
        return [it._replace(text=new.text) for it, new in zip(pieces, left.parts, strict=True)]


def _of(caller: Caller, call_id: ToolCallId) -> filter_service_pb2.ScreenRequest:
    return filter_service_pb2.ScreenRequest(
        workspace_id=caller.workspace_id,
        conversation_id=caller.conversation_id,
        stage=filter_pb2.FILTER_STAGE_TOOL_RESULT,
        author=f"users/{caller.user_id}" if caller.user_id else "",
        turn_id=caller.turn_id,
        tool_call_id=call_id,
    )


def _is_looked_at(part: ResultPart) -> bool:
    return part.kind == "text" or not part.content.startswith("data:")


def _with(part: ResultPart, text: str) -> ResultPart:
    """One whose address is another is no reference any more."""
    return part if unescaped(part.content) == text else ResultPart("text", text)
