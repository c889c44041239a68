"""A memory of others that serves the contract's ExternalMemoryService."""

import asyncio
from collections.abc import Collection, Sequence

from google.protobuf import json_format
from google.protobuf.message import Message

from antiphon.memory.v1 import external_memory_service_pb2 as pb
from antiphon_server.memory.adapters.consulting import Consulting
from antiphon_server.memory.encoding.external import (
    change_message,
    described_of,
    hit_of,
    question_message,
)
from antiphon_server.memory.external.model import Change, Described, Hit, Place, Question
from antiphon_server.runtime.errors import DomainError, Reason

_LARGE = 8 * 1024
"""JSON that is longer is read and written by a thread: it takes more than a millisecond."""
_MANY = 8
"""So many changes or scopes, likewise."""


class ContractMemory:
    """See :class:`~antiphon_server.memory.external.ports.ExternalMemory`."""

    def __init__(self, consulting: Consulting, service: str) -> None:
        self._consulting, self._service = consulting, service

    async def describe(self) -> Described:
        asked = pb.ExternalMemoryServiceDescribeRequest()
        answer = pb.ExternalMemoryServiceDescribeResponse()
        await self._call("Describe", asked, answer)
        described = described_of(answer)
        if described is None:
            raise DomainError(Reason.TOOL_FAILED, tool=f"{self._service}.Describe")
        return described

    async def remember(self, changes: Sequence[Change]) -> None:
        asked = pb.ExternalMemoryServiceRememberRequest(changes=map(change_message, changes))
        answer = pb.ExternalMemoryServiceRememberResponse()
        await self._call("Remember", asked, answer, large=len(changes) > _MANY)

    async def search(self, question: Question) -> Sequence[Hit]:
        asked = question_message(question)
        answer = pb.ExternalMemoryServiceSearchResponse()
        await self._call("Search", asked, answer, large=len(question.scopes) > 10 * _MANY)
        return [hit_of(it) for it in answer.hits]

    async def still_there(self, places: Sequence[Place]) -> Collection[str]:
        asked = pb.ExternalMemoryServiceFindForgottenRequest(
            memory_ids=[it.memory_id for it in places]
        )
        answer = pb.ExternalMemoryServiceFindForgottenResponse()
        await self._call("FindForgotten", asked, answer)
        return set(answer.still_there)

    async def _call(
        self, method: str, asked: Message, answer: Message, *, large: bool = False
    ) -> None:
        """Fill ``answer``. Raises DomainError TOOL_FAILED for what is none."""
        written = await asyncio.to_thread(_json, asked) if large else _json(asked)
        said = await self._consulting.call(f"{self._service}.{method}", written)
        try:
            if len(said) > _LARGE:
                await asyncio.to_thread(_read, said, answer)
            else:
                _read(said, answer)
        except (json_format.ParseError, RecursionError, ValueError):
            raise DomainError(Reason.TOOL_FAILED, tool=f"{self._service}.{method}") from None


def _json(message: Message) -> str:
    return json_format.MessageToJson(message, indent=None, ensure_ascii=False)


def _read(said: str, answer: Message) -> None:
    json_format.Parse(said or "{}", answer, ignore_unknown_fields=True)
