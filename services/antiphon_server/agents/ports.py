"""What an agent needs from outside."""

from collections.abc import AsyncGenerator
from typing import Protocol

from antiphon_server.dispatcher.handling import Turn, TurnId, Usage


class Window(Protocol):
    """Knows what a model should see of a conversation."""

    async def prompt(self, turn: Turn, max_tokens: int, without: set[TurnId]) -> "Prompt":
        """Return the turn's message, which comes last, and before it the newest that fit.

        Those of the turns in ``without`` are left out, but use up the budget. Raises
        DomainError NOT_FOUND if the turn's message is not in the context.
        """
        ...


class Prompt(Protocol):
    """A prompt, opaque to the rules but for what is not in it."""

    @property
    def omitted(self) -> int:
        """How many older messages did not fit."""
        ...


class Reply(Protocol):
    """A step of a model's answer.

    ``text`` is the next piece (may be empty); ``status`` says what is going on, and
    ``fraction`` how much of it is done; ``usage`` comes with the last step.
    """

    @property
    def text(self) -> str: ...  # noqa: D102
    @property
    def status(self) -> str: ...  # noqa: D102
    @property
    def fraction(self) -> float | None: ...  # noqa: D102
    @property
    def usage(self) -> Usage | None: ...  # noqa: D102
    @property
    def model(self) -> str: ...  # noqa: D102
    @property
    def finish_reason(self) -> int: ...  # noqa: D102


class Models(Protocol):
    """Asks models."""

    def generate(self, turn: Turn, prompt: Prompt) -> AsyncGenerator[Reply, None]:
        """Stream the answer. Closing the iterator closes the provider's connection.

        Raises DomainError MODEL_*.
        """
        ...
