"""What a handler works with, wherever it stands: all that it may know of the dispatcher."""

from typing import Protocol

from antiphon_server.dispatcher.model import HandlerInfo, LossPolicy, Order, Turn, TurnId, Usage

__all__ = ["Handler", "HandlerInfo", "LossPolicy", "Order", "Turn", "TurnId", "Usage", "Work"]


class Work(Protocol):
    """A turn as its handler sees it."""

    @property
    def turn(self) -> Turn:
        """The turn, with its order."""
        ...

    @property
    def resumed_text(self) -> str:
        """What earlier attempts have delivered; the answer goes on behind it."""
        ...

    @property
    def others(self) -> set[TurnId]:
        """Turns of the conversation that are not done, without this one."""
        ...

    async def write(self, text: str) -> None:
        """Append to the answer. Waits while too much is not committed yet."""
        ...

    async def progress(self, status: str, fraction: float | None = None) -> None:
        """Tell people what is going on."""
        ...

    def leave_out(self, messages: int, described: int = 0) -> None:
        """Note how many older messages the answer is given without, and how many parts in words."""
        ...

    def account(
        self, usage: Usage, model: str, finish_reason: int = 0, output_limit: int = 0
    ) -> None:
        """Note what the answer consumed, who gave it, why that one stopped, and at which limit."""
        ...


class Handler(Protocol):
    """Works on turns."""

    @property
    def info(self) -> HandlerInfo:
        """How it presents itself."""
        ...

    async def check(self, order: Order) -> None:
        """Raise DomainError if it can't work on that; nothing is posted then.

        Asked only about a message that has other parts than text.
        """
        ...

    async def run(self, work: Work) -> None:
        """Write the answer; returning ends the turn, raising fails it.

        Being cancelled stops it: it must let go of what it uses and re-raise.
        """
        ...
