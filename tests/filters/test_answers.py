"""What is told beside an answer is masked as a whole."""

from typing import Any

import pytest

from antiphon_server.filters.answers import ROOM, TurnMasking, _Eye
from antiphon_server.filters.kinds import masking_finders
from antiphon_server.filters.model import Action, Filter, Stage, Terms
from tests.dispatcher.world import a_turn

_NONE: Any = None


@pytest.fixture
def masking() -> TurnMasking:
    words = [Filter(it, Action.FLAG, Terms((it,)), frozenset({Stage.ANSWER})) for it in ("a", "b")]
    eyes = [_Eye("global", it, masking_finders(it.kind)) for it in words]
    return TurnMasking(a_turn(), eyes, _NONE)


async def test_a_text_is_masked_by_all_that_look(masking: TurnMasking) -> None:
    assert await masking.whole(["c a c b c"]) == ["c [term] c [term] c"]
    assert [(it.filter, it.found) for it in masking._verdicts()] == [("a", 1), ("b", 1)]


async def test_it_does_not_outgrow_the_room_that_it_had(masking: TurnMasking) -> None:
    """Marks are short where longer ones might not fit."""
    text = " a b" * (ROOM // 4)
    assert await masking.whole([text]) == [" * *" * (ROOM // 4)]
