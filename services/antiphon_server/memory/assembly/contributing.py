"""The seam of what stands beside the newest messages: whoever has something to show contributes it.

What contributes is put into the list of ``compose.py``, what matters most first. All are asked at
once, each with its share of the budget as room; what fails or takes too long is left out.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from antiphon_server.memory.assembled import Item, LeftOut, Source
from antiphon_server.memory.model import ConversationId, Newest, WorkspaceId
from antiphon_server.runtime.access.principal import Principal, UserId
from antiphon_server.runtime.encoding.token_estimate import TOKENS_PER_MESSAGE, tokens_of_text


@dataclass(frozen=True, slots=True)
class Asked:
    """What is asked in a conversation, and what a model is shown of it in any case: ``newest``.

    ``user_id`` is who asked, "" for nobody in particular; ``workspace_id`` the conversation's, ""
    if the caller did not say; ``room`` how many tokens a contribution may have.
    """

    principal: Principal
    conversation_id: ConversationId
    query: str
    newest: Newest
    user_id: UserId
    workspace_id: WorkspaceId
    room: int

    @property
    def by_name(self) -> bool:
        """Whether names of speakers may count, which not everybody may know."""
        return self.principal.kind == "service"


@dataclass(frozen=True, slots=True)
class Contribution:
    """The items of one source in the order in which they are told, and what was left out.

    ``note`` is what the model is told below them.
    """

    items: Sequence[Item] = ()
    left_out: Sequence[LeftOut] = ()
    note: str = ""


@dataclass(frozen=True, slots=True)
class Share:
    """One part of so many of the budget, and no more tokens than ``most``."""

    part: int
    most: int

    def of(self, budget: int) -> int:
        """How many tokens that is."""
        return min(budget // self.part, self.most)


class Contributor(Protocol):
    """Knows something that a model should be shown beside the newest messages."""

    @property
    def name(self) -> str:
        """As ``left_out`` calls it: "the whiteboard"."""
        ...

    @property
    def share(self) -> Share:
        """What of the budget it may have."""
        ...

    @property
    def source(self) -> type[Source]:
        """What its items are of; no other contributor has those."""
        ...

    async def contribute(self, asked: Asked) -> Contribution:
        """What is to be shown. Raises DomainError if it can't be read; it may be cancelled."""
        ...

    def told(self, asked: Asked, contribution: Contribution) -> str:
        """The items as a model is told of them, each line of theirs quoted behind "> "."""
        ...

    async def explained(
        self, principal: Principal, conversation_id: ConversationId, items: Sequence[Item]
    ) -> Sequence[Item]:
        """The items that a turn was shown with their texts as they are now, as far as the reader
        may read them. Raises DomainError if they can't be read.
        """
        ...


def cost_of(text: str) -> int:
    """What a text of its own costs in a prompt, by the estimate; 0 of none."""
    return tokens_of_text(text) + TOKENS_PER_MESSAGE if text else 0


def quoted(text: str, head: str = "") -> list[str]:
    """Each line behind "> ", whatever separates it; ``head`` stands in front of the first."""
    lines = text.splitlines() or [""]
    return [f"> {head if at == 0 else ''}{line}" for at, line in enumerate(lines)]
