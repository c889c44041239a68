"""Masks of what handlers say, as the dispatcher is handed them."""

import asyncio
from collections.abc import Sequence

from antiphon_server.dispatcher.masking import Mask, Masking
from antiphon_server.dispatcher.model import ConversationView, Turn
from antiphon_server.filters.finding.cutting import cut
from antiphon_server.filters.finding.searching import found_in
from antiphon_server.filters.kinds import masking_finders
from antiphon_server.filters.masking.masker import Masker
from antiphon_server.filters.model import Terms
from tests.dispatcher.world import CONVERSATION, World

_FINDERS = masking_finders(Terms(("bluebird",)))


class NoBirds:
    """Hides bluebirds from everybody, unless ``off``; ``asked`` are the turns that it is asked of.

    ``closed`` counts the turns that have told what was found, ``looks`` how often one looked;
    ``broken`` is what asking and telling raise, and nobody answers either while it ``hangs``.
    """

    def __init__(self) -> None:
        self.asked: list[Turn] = []
        self.off = False
        self.closed = self.looks = 0
        self.broken: Exception | None = None
        self.hangs = False

    async def of(self, turn: Turn) -> Masking | None:
        """See :class:`~antiphon_server.dispatcher.masking.Masks`."""
        self.asked.append(turn)
        if self.hangs:
            await asyncio.Event().wait()
        if self.broken is not None:
            raise self.broken
        return None if self.off else _Masking(self)


class _Masking:
    def __init__(self, masks: NoBirds) -> None:
        self._masks = masks

    def begin(self, shown: str) -> Mask:
        """A mask."""
        return _Counted(self._masks, Masker(_FINDERS, shown))

    def may_follow(self, shown: str) -> bool:
        """As filters have it."""
        return not shown.endswith("[term]")

    async def whole(self, texts: Sequence[str]) -> Sequence[str]:
        """Texts of one thing."""
        return cut(texts, found_in(texts, _FINDERS))

    async def close(self) -> None:
        """Count it."""
        if self._masks.hangs:
            await asyncio.Event().wait()
        if self._masks.broken is not None:
            raise self._masks.broken
        self._masks.closed += 1


class _Counted:
    def __init__(self, masks: NoBirds, masker: Masker) -> None:
        self._masks, self._masker = masks, masker

    def feed(self, text: str) -> str:
        """A look more."""
        self._masks.looks += 1
        return self._masker.feed(text)

    def end(self, text: str = "") -> str:
        """The rest."""
        return self._masker.end(text)


def filters_stand(it: World) -> None:
    """From now on, in the conversation."""
    it.known.views[CONVERSATION] = ConversationView(CONVERSATION, "ws_00000001", filtered=True)
