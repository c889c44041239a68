"""Asks all who contribute at once, and puts together what they have, within its bounds."""

import asyncio
import logging
from collections.abc import Sequence
from dataclasses import dataclass, replace

from antiphon_server.memory.assembled import Item, LeftOut
from antiphon_server.memory.assembly.contributing import (
    Asked,
    Contribution,
    Contributor,
    cost_of,
)
from antiphon_server.memory.model import ConversationId
from antiphon_server.runtime.access.principal import Principal
from antiphon_server.runtime.errors import DomainError

WAIT_S = 2.0
"""A turn waits no longer for any of them."""
ENDS_WITHIN_S = 1.0
"""What is late is waited for no longer, once it is cancelled."""
PART = 2
"""What is contributed has at most this part of the budget: a half."""
TWICE = "another item says the same"
NO_ROOM = "there was no more room for {name}"
log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Beside:
    """What stands beside the newest messages; ``texts`` tell of the items, ``tokens`` in all."""

    items: Sequence[Item] = ()
    left_out: Sequence[LeftOut] = ()
    texts: Sequence[str] = ()
    tokens: int = 0


class Contributions:
    """What all contribute, those first that matter most."""

    def __init__(self, contributors: Sequence[Contributor], wait_s: float = WAIT_S) -> None:
        self._contributors, self._wait_s = contributors, wait_s

    async def beside(self, asked: Asked) -> Beside:
        """What is shown; ``asked.room`` is the whole budget. What fails is left out."""
        asking = [
            asyncio.create_task(
                it.contribute(replace(asked, room=it.share.of(asked.room))),
                name=f"memory.{it.name}",
            )
            for it in self._contributors
        ]
        try:
            await asyncio.wait(asking, timeout=self._wait_s)
        finally:
            await _let_go([it for it in asking if not it.done()])
        found = [_of(*pair) for pair in zip(self._contributors, asking, strict=True)]
        return _within(asked, list(zip(self._contributors, _once(found), strict=True)))

    async def explained(
        self, principal: Principal, conversation_id: ConversationId, items: Sequence[Item]
    ) -> Sequence[Item]:
        """Items that a turn was shown, in their order, with their texts as they are now.

        Raises DomainError if they can't be read.
        """
        told = dict[int, Item]()
        for contributor in self._contributors:
            those = [at for at, it in enumerate(items) if isinstance(it.source, contributor.source)]
            if those:
                found = await contributor.explained(
                    principal, conversation_id, [items[at] for at in those]
                )
                told.update(zip(those, found, strict=True))
        return [told.get(at, it) for at, it in enumerate(items)]


async def _let_go(late: Sequence["asyncio.Task[Contribution]"]) -> None:
    for it in late:
        it.cancel()
    if late:
        await asyncio.wait(late, timeout=ENDS_WITHIN_S)


def _of(contributor: Contributor, asked: "asyncio.Task[Contribution]") -> Contribution:
    """What it has contributed; nothing if it is late, or has failed."""
    if not asked.done() or asked.cancelled():
        return _none_of(contributor, "took too long")
    error = asked.exception()
    return asked.result() if error is None else _failed(contributor, error)


def _told(contributor: Contributor, asked: Asked, it: Contribution) -> tuple[Contribution, str]:
    """What is shown of it, and the text that tells so; nothing if that fails."""
    if not it.items and not it.note:
        return it, ""
    try:
        return it, contributor.told(asked, it)
    except Exception as error:
        return _failed(contributor, error), ""


def _failed(contributor: Contributor, error: BaseException) -> Contribution:
    """Nothing: a defect of one must not keep the others away."""
    defect = None if isinstance(error, DomainError) else error
    log.warning("%s can't be shown to a model now: %s", contributor.name, error, exc_info=defect)
    return _none_of(contributor, "can't be read now")


def _none_of(contributor: Contributor, why: str) -> Contribution:
    return Contribution(left_out=[LeftOut(0, f"{contributor.name} {why}")])


def _once(found: Sequence[Contribution]) -> Sequence[Contribution]:
    """Each text once, where it matters most."""
    said, kept = set[str](), list[Contribution]()
    for contribution in found:
        new, twice = list[Item](), 0
        for it in contribution.items:
            text = " ".join(it.text.casefold().split())
            if text in said:
                twice += 1
            else:
                new.append(it)
                said.add(text)
        if twice:
            left_out = [*contribution.left_out, LeftOut(twice, TWICE)]
            contribution = replace(contribution, items=new, left_out=left_out)
        kept.append(contribution)
    return kept


def _within(asked: Asked, found: Sequence[tuple[Contributor, Contribution]]) -> Beside:
    """As many of them as have room together."""
    items, left_out, texts = list[Item](), list[LeftOut](), list[str]()
    tokens, room = 0, asked.room // PART
    for contributor, has in found:
        it, text = _told(contributor, asked, has)
        left_out += it.left_out
        cost = cost_of(text)
        if tokens + cost > room:
            left_out.append(LeftOut(len(it.items), NO_ROOM.format(name=contributor.name)))
        elif text:
            tokens += cost
            texts.append(text)
            items += it.items
    return Beside(items, left_out, texts, tokens)
