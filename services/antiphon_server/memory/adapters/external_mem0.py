"""A memory of others that speaks as mem0's own server does, by HTTP and its OpenAPI document.

Its ids are its own, and adding is not idempotent there. So each memory is a "run" of its scope, the
"user", and what there is of a run is looked at before it is changed: nothing has to be kept here
of which id is which, and what is told once more changes nothing.
"""

from collections.abc import Collection, Iterator, Mapping, Sequence
from itertools import chain, zip_longest
from typing import Any

from antiphon_server.memory.adapters.consulting import Consulting
from antiphon_server.memory.external.model import Change, Described, Hit, Place, Question
from antiphon_server.memory.external.settings import Mem0Tools
from antiphon_server.memory.remembered import Memory
from antiphon_server.runtime.concurrency.tasks import together

STORE = "mem0"
AT_ONCE = 5
"""Each change is up to three calls, and a model of theirs may be in them."""
MOST_SEARCHED = 8
"""So many scopes are searched, each by a call of its own: the reader's own, and some more."""
MOST_LEFT = 10
"""What repeated additions may have left of one memory; the rest goes when it is told again."""


class Mem0Memory:
    """See :class:`~antiphon_server.memory.external.ports.ExternalMemory`."""

    def __init__(self, consulting: Consulting, tools: Mem0Tools) -> None:
        self._consulting, self._tools = consulting, tools

    async def describe(self) -> Described:
        await self._there(Place("mem_00000000", "antiphon"))
        return Described(STORE, max_changes=AT_ONCE)

    async def remember(self, changes: Sequence[Change]) -> None:
        for it in changes:
            await self._remember(it)

    async def search(self, question: Question) -> Sequence[Hit]:
        found = await together(
            [self._search(question, it) for it in question.scopes[:MOST_SEARCHED]]
        )
        # Scores of one answer say nothing beside another's: the first of each come first.
        in_turn = chain.from_iterable(zip_longest(*found))
        return [it for it in in_turn if it is not None]

    async def still_there(self, places: Sequence[Place]) -> Collection[str]:
        found = set[str]()
        for it in places:
            if await self._there(it):
                found.add(it.memory_id)
        return found

    async def _remember(self, change: Change) -> None:
        there = await self._there(Place(change.memory_id, change.scope))
        memory = change.memory
        if memory is not None and [it.text for it in there] == [memory.text]:
            return
        for it in there:
            await self._consulting.call_json(self._tools.delete, {"memory_id": it.memory_id})
        if memory is not None:
            body = _added(change, memory)
            await self._consulting.call_json(self._tools.add, {"body": body})

    async def _there(self, place: Place) -> Sequence[Hit]:
        """What it has of a memory, by its own ids."""
        asked = {"user_id": place.scope, "run_id": place.memory_id}
        said = await self._consulting.call_json(self._tools.list, asked)
        return [
            Hit(it["id"], _text(it))
            for it in _results(said)
            if isinstance(it.get("id"), str) and _ours(it) == place.memory_id
        ][:MOST_LEFT]

    async def _search(self, question: Question, scope: str) -> Sequence[Hit]:
        body = {"query": question.query, "user_id": scope, "limit": question.limit}
        said = await self._consulting.call_json(self._tools.search, {"body": body})
        return [Hit(_ours(it), _text(it)) for it in _results(said)]


def _added(change: Change, memory: Memory) -> Mapping[str, Any]:
    return {
        "messages": [{"role": "user", "content": memory.text}],
        "user_id": change.scope,
        "run_id": change.memory_id,
        "metadata": {"memory_id": change.memory_id, "revision": change.revision},
        "infer": False,  # it is kept as it is said
    }


def _results(said: Any) -> Iterator[Mapping[str, Any]]:
    """What an answer lists; older servers return the list itself."""
    listed = said.get("results") if isinstance(said, Mapping) else said
    if isinstance(listed, list):
        yield from (it for it in listed if isinstance(it, Mapping))


def _ours(result: Mapping[str, Any]) -> str:
    """The id that it was put with; empty if it says none."""
    told = result.get("metadata")
    known = told.get("memory_id") if isinstance(told, Mapping) else None
    found = known or result.get("run_id")
    return found if isinstance(found, str) else ""


def _text(result: Mapping[str, Any]) -> str:
    said = result.get("memory")
    return said if isinstance(said, str) else ""
