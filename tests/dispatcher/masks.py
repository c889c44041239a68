"""Masks of what handlers say, as the dispatcher is handed them."""

from antiphon_server.dispatcher.masking import Mask, Masking
from antiphon_server.dispatcher.model import ConversationView, Turn
from antiphon_server.filters.kinds import masking_finders
from antiphon_server.filters.masking.masker import Masker
from antiphon_server.filters.model import Terms
from tests.dispatcher.world import CONVERSATION, World

_FINDERS = masking_finders(Terms(("bluebird",)))


class NoBirds:
    """Hides bluebirds from everybody, unless ``off``; ``asked`` are the turns that it is asked of.

    ``closed`` counts the turns that have told what was found.
    """

    def __init__(self) -> None:
        self.asked: list[Turn] = []
        self.off = False
        self.closed = 0

    async def of(self, turn: Turn) -> Masking | None:
        """See :class:`~antiphon_server.dispatcher.masking.Masks`."""
        self.asked.append(turn)
        return None if self.off else _Masking(self)


class _Masking:
    def __init__(self, masks: NoBirds) -> None:
        self._masks = masks

    def begin(self, shown: str) -> Mask:
        """A mask."""
        return Masker(_FINDERS, shown)

    def whole(self, text: str) -> str:
        """A text as a whole."""
        mask = self.begin("")
        return mask.feed(text) + mask.end()

    async def close(self) -> None:
        """Count it."""
        self._masks.closed += 1


def filters_stand(it: World) -> None:
    """From now on, in the conversation."""
    it.known.views[CONVERSATION] = ConversationView(CONVERSATION, "ws_00000001", filtered=True)
