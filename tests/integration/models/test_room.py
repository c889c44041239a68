"""How long prompts and answers may be."""

import pytest

from antiphon_server.integration.models.room import Limits, Room, room_of
from antiphon_server.integration.models.settings import ModelSettings, model_named
from antiphon_server.runtime.configuration import configured


def model(**more: int) -> ModelSettings:
    """A model whose settings say ``more``."""
    return configured({"name": "a/b", "kind": "scripted", **more}, ModelSettings)


@pytest.mark.parametrize(
    ("context", "asked", "limits", "said", "room"),
    [
        (0, 0, Limits(), {}, Room(3_072, 1_024)),
        (8_000, 0, Limits(), {}, Room(6_000, 2_000)),
        (200_000, 0, Limits(), {}, Room(195_904, 4_096)),
        (8_000, 500, Limits(), {}, Room(7_500, 500)),
        (8_000, 7_000, Limits(), {}, Room(4_000, 7_000)),
        (8_000, 0, Limits(2_000, 100), {}, Room(2_000, 100)),
        (
            8_000,
            0,
            Limits(),
            {"max_prompt_tokens": 2_000, "max_output_tokens": 100},
            Room(2_000, 100),
        ),
        (8_000, 0, Limits(0, 200), {"max_output_tokens": 100}, Room(7_800, 200)),
        (8_000, 300, Limits(0, 200), {"max_output_tokens": 100}, Room(7_700, 300)),
        (8_000, 0, Limits(90_000, 90_000), {}, Room(4_000, 4_000)),
        (0, 0, Limits(90_000, 0), {}, Room(90_000, 1_024)),
    ],
)
def test_the_nearest_says_and_the_context_bounds(
    context: int, asked: int, limits: Limits, said: dict[str, int], room: Room
) -> None:
    """The order, the server, the model, a share of the context; a known context is not exceeded."""
    assert room_of(model(**said), limits, context, asked) == room


def test_the_small_model_says_less_than_it_could() -> None:
    """It reads slowly, and what it says gets no better with its length."""
    small = model_named("local/smollm2-135m")
    assert room_of(small, Limits(), small.context_tokens) == Room(3_000, 512)
